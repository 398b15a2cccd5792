"""What a robots.txt says to us, as RFC 9309 reads it."""

import time

import pytest

from scraper.robots.rules import MOST_BYTES, Rules, product_token, readable

URL = "http://site.test/a/b"


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("Penstock/0.1 (+https://example.com)", "penstock"),
        ("my-bot", "my-bot"),
        ("Two Words/1", "two"),
        ("", "*"),
    ],
)
def test_the_product_token_is_the_name_without_its_version(agent, token):
    assert product_token(agent) == token


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /a", False),
        ("User-agent: *\nDisallow: /A", True),
        ("User-agent: *\nDisallow: /\nAllow: /a/", True),  # the longest match wins
        ("User-agent: *\nDisallow: /*/b$", False),
        ("User-agent: *\nDisallow: /a/b$\nAllow: /a/b", False),
        ("user-agent:penstock\ndisallow:/\n\nuser-agent:*\nallow:/", False),  # our group, not everybody's
        ("User-agent: PENSTOCK/2.0\nDisallow: /", False),  # a version is no part of the name
        ("User-agent: Penstock something\nDisallow: /", False),
        ("User-agent: pen\nDisallow: /", True),  # no part of a name is the name
        ("User-agent: stock\nUser-agent: o\nDisallow: /", True),
        ("User-agent: penstocks\nDisallow: /", True),
        ("User-agent: other\nUser-agent: *\nDisallow: /", False),
        ("User-agent: *\nUnknown: x\nDisallow: /", False),
        ("User-agent: penstock\nUnknown: x\nUser-agent: other\nDisallow: /", False),  # one group still
        ("User-agent: penstock\nDisallow: /x\n\nUser-agent: Penstock\nDisallow: /a", False),  # groups are merged
        ("Disallow: /", True),  # before any group
        ("User-agent: *\rDisallow: /", False),
        ("User-agent: * # all\nDisallow: / # of it", False),
        ("<!doctype html><title>Disallow: /</title>", True),
    ],
)
def test_a_url_is_allowed_or_not(text, allowed):
    assert Rules(text, "penstock").allow(URL) is allowed


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /",
        "\ufeffUser-agent: *\nDisallow: /".encode("utf-16-le"),
        "\ufeffUser-agent: *\nDisallow: /".encode("utf-16-be"),
        b"\xff# broken\nUser-agent: *\nDisallow: /",
        b"# NUL \0\nUser-agent: *\nDisallow: /",
    ],
)
def test_no_mark_and_no_broken_byte_hides_the_first_group(body):
    assert not Rules(readable(body), "penstock").allow(URL)


def test_only_the_first_half_megabyte_counts_and_no_half_line():
    line = b"Disallow: /aaaaaaa\n"
    body = b"User-agent: *\n" + line * (MOST_BYTES // len(line)) + b"Disallow: /a"

    text = readable(body[:MOST_BYTES])

    assert len(text) <= MOST_BYTES
    assert text.endswith("/aaaaaaa\n")


def test_a_huge_robots_txt_is_read_in_no_time():
    text = "User-agent: *\n" + "".join(f"Disallow: /{number}/*/x\n" for number in range(25_000))
    started = time.process_time()

    rules = Rules(text, "penstock")
    allowed = rules.allow(URL)

    assert allowed
    assert time.process_time() - started < 2


def test_wildcards_do_not_blow_up():
    rules = Rules("User-agent: *\nDisallow: /" + "*a" * 500 + "$", "penstock")
    started = time.process_time()

    assert rules.allow("http://site.test/" + "a" * 1500 + "b")
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("value", "delay_ms"),
    [
        *(("1", 1000), ("0.5", 500), ("30", 30_000), ("99999999", 99_999_999_000)),
        *(
            ("-5", 0),
            ("0", 0),
            ("9e99", 10**12),
            ("1e400", 0),
            ("inf", 0),
            ("nan", 0),
            ("1,5", 0),
            ("soon", 0),
            ("", 0),
        ),
    ],
)
def test_a_crawl_delay_is_told_as_it_is_asked_for_and_nonsense_ignored(value, delay_ms):
    assert Rules(f"User-agent: *\nCrawl-delay: {value}\n", "penstock").crawl_delay_ms == delay_ms


def test_the_crawl_delay_is_that_of_our_group():
    text = "User-agent: *\nCrawl-delay: 9\n\nUser-agent: penstock\nCrawl-delay: 2"

    assert Rules(text, "penstock").crawl_delay_ms == 2000


def test_sitemaps_are_found_anywhere_and_only_of_the_web():
    text = "Sitemap: http://a.test/s.xml\nUser-agent: x\nSitemap: file:///etc/passwd\nsitemap: HTTPS://a.test/t.xml\n"

    assert Rules(text, "penstock").sitemaps == ("http://a.test/s.xml", "HTTPS://a.test/t.xml")
