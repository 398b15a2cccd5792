"""What a robots.txt says to us, as RFC 9309 reads it."""

import pytest

from contract.percent import one_spelling
from scraper.robots.rules import MOST_BYTES, Rules, product_token, readable
from tests.scraper.robots_cases import CASES

URL = "http://site.test/a/b"


@pytest.mark.parametrize(
    ("agent", "token"),
    [
        ("Penstock/0.1 (+https://example.com)", "penstock"),
        ("my-bot", "my-bot"),
        ("Two Words/1", "two"),
        ("Bot2/1.0", "bot"),
        ("360Spider/1.0", "360spider"),
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


@pytest.mark.parametrize(("source", "text", "allowed", "disallowed"), CASES)
def test_a_file_is_read_as_the_standard_and_its_first_reader_read_it(source, text, allowed, disallowed):
    rules = Rules(readable(text.encode()), product_token("Penstock/0.1 (+https://a.test)"))
    found = {path: rules.allow(f"http://a.test{path}") for path in (*allowed, *disallowed)}

    assert found == dict.fromkeys(allowed, True) | dict.fromkeys(disallowed, False), source


def test_a_name_that_no_name_may_be_is_compared_as_a_word():
    assert not Rules("User-agent: 360Spider\nDisallow: /", product_token("360Spider/1")).allow(URL)
    assert Rules("User-agent: 361Spider\nDisallow: /", product_token("360Spider/1")).allow(URL)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [("/%7ea%c3%2f%41%2541%zz%", "/~a%C3%2FA%2541%zz%"), ("%%34%31", "%41"), ("/a b\u00e9", "/a b\u00e9")],
)
def test_escapes_that_mean_the_same_have_one_spelling(text, spelled):
    assert one_spelling(text) == spelled


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbbUser-agent: *\nDisallow: /",
        b"\xefUser-agent: *\nDisallow: /",
        b"\xef\xbb\xbf\xef\xbb\xbfUser-agent: *\nDisallow: /",
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /",
        "\ufeffUser-agent: *\nDisallow: /".encode("utf-16-le"),
        "\ufeffUser-agent: *\nDisallow: /".encode("utf-16-be"),
        b"\xff# broken\nUser-agent: *\nDisallow: /",
        b"# NUL \0\nUser-agent: *\nDisallow: /",
    ],
)
def test_no_mark_and_no_broken_byte_hides_the_first_group(body):
    assert not Rules(readable(body), "penstock").allow(URL)


def test_a_mark_that_is_none_makes_its_line_unknown():
    assert Rules(readable(b"\xef\x11\xbfUser-agent: *\nDisallow: /"), "penstock").allow(URL)
    assert Rules(readable(b"User-agent: *\n\xef\xbb\xbfDisallow: /"), "penstock").allow(URL)


def test_only_the_first_half_megabyte_counts_and_no_half_line():
    line = b"Disallow: /aaaaaaa\n"
    body = b"User-agent: *\n" + line * (MOST_BYTES // len(line)) + b"Disallow: /a"

    text = readable(body[:MOST_BYTES])

    assert len(text) <= MOST_BYTES
    assert text.endswith("/aaaaaaa\n")


def test_a_huge_robots_txt_comes_to_an_end_within_the_time_of_a_test():
    text = "User-agent: *\n" + "".join(f"Disallow: /{number}/*/x\n" for number in range(25_000))
    rules = Rules(text, "penstock")
    allowed = rules.allow(URL)

    assert allowed


def test_wildcards_do_not_blow_up_beyond_the_time_of_a_test():
    rules = Rules("User-agent: *\nDisallow: /" + "*a" * 500 + "$", "penstock")
    assert rules.allow("http://site.test/" + "a" * 1500 + "b")


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
