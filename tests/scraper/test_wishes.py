"""What a page asks of those who read it: the right values are those of search engines' documents and of the drafts."""

import pytest

from contract.pages import Wishes
from scraper.page import Page
from scraper.parsers.frames import Result
from scraper.parsers.reading import Reader
from scraper.robots.rules import Rules
from scraper.warc import StoredPage
from scraper.wishes import together
from tests.scraper.pages import job_of

URL = "http://site.test/shop/a"
LINK = '<link rel="canonical" href="/shop/b">'


def wishes(body: str = "", *headers: tuple[str, str], token: str = "penstock", surveyed: bool = False) -> Wishes | None:
    """The wishes of an HTML page."""
    stored = StoredPage(url=URL, status=200, headers=[("Content-Type", "text/html"), *headers], body=body.encode())
    page = Page(stored)
    if surveyed:
        _ = page.survey
    return page.wishes(token)


def tag(*values: str) -> list[tuple[str, str]]:
    """X-Robots-Tag headers."""
    return [("X-Robots-Tag", value) for value in values]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["nofollow"], "nofollow"),
        (["NoIndex,  NOFOLLOW"], "noindex, nofollow"),
        (["noindex", "nofollow"], "noindex, nofollow"),
        (["penstock: nofollow"], "nofollow"),
        (["otherbot: nofollow"], ""),
        (["otherbot: noindex, nofollow", "noarchive"], "noarchive"),
        (["otherbot: noindex, Penstock: nofollow, noarchive"], "nofollow, noarchive"),
        (["*: none"], "none"),
        (["unavailable_after: Wed, 03 Dec 2025 13:09:53 GMT, nofollow"],
         "unavailable_after: wed 03 dec 2025 13:09:53 gmt, nofollow"),
        (["max-snippet:20, nofollow"], "max-snippet:20, nofollow"),
        (["", ",,"], ""),
    ],
)  # fmt: skip
def test_robots_tags_come_in_headers_for_everybody_or_by_name(values, words):
    found = wishes("", *tag(*values))
    assert (found.robots if found else "") == words


@pytest.mark.parametrize("surveyed", [False, True])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<meta name="robots" content="noindex,nofollow">', "noindex, nofollow"),
        ("<META NAME=ROBOTS CONTENT=NOFOLLOW>", "nofollow"),
        ('<meta name="penstock" content="nofollow"><meta name="robots" content="noindex">', "nofollow, noindex"),
        ('<meta name="googlebot" content="nofollow">', ""),
        ('<meta property="robots" content="nofollow">', ""),
        ("<p>robots: nofollow</p>", ""),
    ],
)
def test_robots_tags_stand_in_documents(body, words, surveyed):
    found = wishes(body, surveyed=surveyed)
    assert (found.robots if found else "") == words


@pytest.mark.parametrize("surveyed", [False, True])
def test_the_canonical_url_is_the_documents_or_the_headers(surveyed):
    assert wishes(LINK, surveyed=surveyed) == Wishes(canonical="http://site.test/shop/b")
    assert wishes('<base href="/x/"><link rel="Canonical nofollow" href=c>', surveyed=surveyed) == Wishes(
        canonical="http://site.test/x/c"
    )
    header = ("Link", '</next>; rel="next", </shop/c?a,b>; title="a, b"; rel="canonical"')
    assert wishes("", header, surveyed=surveyed) == Wishes(canonical="http://site.test/shop/c?a,b")


@pytest.mark.parametrize(
    ("headers", "uses"),
    [
        ([("Content-Usage", "train-ai=n")], {"train_ai": False}),
        ([("content-usage", "train-ai=n, search=y"), ("Content-Usage", "ai-input=n")],
         {"train_ai": False, "search": True, "ai_input": False}),
        ([("Content-Usage", "bots=n, train-ai=?1, search")], {}),
        ([("TDM-Reservation", "1"), ("TDM-Policy", "https://site.test/policy.json")],
         {"train_ai": False, "license": "https://site.test/policy.json"}),
        ([("TDM-Reservation", "1"), ("Content-Usage", "train-ai=y")], {"train_ai": True}),
        ([("Link", "</terms>; rel=license")], {"license": "http://site.test/terms"}),
    ],
)  # fmt: skip
def test_preferences_for_uses_by_machines_come_in_headers(headers, uses):
    assert wishes("", *headers) == (Wishes(**uses) if uses else None)


def test_a_reservation_may_stand_in_the_document():
    body = '<meta name="tdm-reservation" content="1"><meta name="tdm-policy" content="https://site.test/p">'
    assert wishes(body) == Wishes(train_ai=False, license="https://site.test/p")


@pytest.mark.parametrize("follow_nofollow", [False, True])
def test_links_of_a_page_that_asks_for_it_are_kept_and_not_handed_on(follow_nofollow):
    job = job_of('<meta name="robots" content="nofollow"><a href="/1">1</a><a href="/2">2</a>')
    read = Reader().read(type(job)(job.url, job.raw, follow_nofollow=follow_nofollow))

    links = ("http://site.test/1", "http://site.test/2")
    assert (read.links, read.unfollowed) == ((links, ()) if follow_nofollow else ((), links))
    assert read.links_found == 2


LINKS = """
<a href="/plain">1</a> <a href="/no" rel="nofollow">2</a> <a href="/ugc" rel="external ugc">3</a>
<a href="/paid" rel="Sponsored">4</a> <a href="/both" rel="nofollow">5</a> <a href="/both">6</a>
"""


def obeying(body: str, *obey: str) -> Result:
    job = job_of(body)
    return Reader().read(type(job)(job.url, job.raw, obey=obey))


def test_links_that_are_not_to_be_followed_are_kept_and_not_handed_on_where_a_crawl_obeys_that():
    heard, not_heard = obeying(LINKS, "nofollow-links"), obeying(LINKS)

    assert heard.links == ("http://site.test/plain", "http://site.test/both")
    assert heard.unfollowed == ("http://site.test/no", "http://site.test/ugc", "http://site.test/paid")
    assert (len(not_heard.links), not_heard.unfollowed) == (5, ())


@pytest.mark.parametrize("word", ["noindex", "none", "NOINDEX, follow"])
def test_a_page_that_is_not_to_be_indexed_has_no_items_where_a_crawl_obeys_that(word):
    body = f'<meta name="robots" content="{word}"><p>Text of a page.</p><a href="/1">1</a>'

    assert obeying(body, "noindex").items == b"[]"
    assert obeying(body, "canonical").items != b"[]"


def test_a_page_that_calls_another_url_its_own_has_no_items_and_that_url_is_asked_for():
    other = obeying('<link rel="canonical" href="/other"><p>Text</p><a href="/1">1</a>', "canonical")
    itself = obeying(f'<link rel="canonical" href="{job_of("").url}"><p>Text</p>', "canonical")

    assert (other.items, other.links) == (b"[]", ("http://site.test/1", "http://site.test/other"))
    assert itself.items != b"[]"


def test_a_page_may_speak_to_us_by_the_name_that_we_give():
    assert wishes("", *tag("shopbot: nofollow"), token="shopbot") == Wishes(robots="nofollow")


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /",
         {"search": True, "train_ai": False}),
        ("Content-Signal: ai-train=no, ai-input=no\nUser-agent: *\nDisallow:",
         {"train_ai": False, "ai_input": False}),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /shop/ train-ai=y\nContent-Usage: /shop/b search=n",
         {"train_ai": True}),
        ("User-agent: other\nContent-Signal: ai-train=no\n\nUser-agent: *\nAllow: /", {}),
        ("User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: penstock\nAllow: /", {"train_ai": False}),
        ("User-agent: *\nContent-Signal: ai-train=no\n\nUser-agent: penstock\nContent-Signal: ai-train=yes",
         {"train_ai": True}),
        ("License: https://site.test/l.xml\nUser-agent: *\nDisallow: /x", {"license": "https://site.test/l.xml"}),
        ("User-agent: *\nContent-Usage: all good\nContent-Signal: ai-train=maybe", {}),
        ("User-agent: *\nDisallow: /x", {}),
    ],
)  # fmt: skip
def test_preferences_for_uses_by_machines_stand_in_robots_txt(text, uses):
    assert Rules(text, "penstock").wishes(URL) == (Wishes(**uses) if uses else None)


def test_lines_about_uses_part_no_groups():
    rules = Rules("User-agent: penstock\nContent-Signal: ai-train=no\nUser-agent: b\nDisallow: /shop", "penstock")
    assert not rules.allow(URL)


def test_a_use_is_refused_if_the_host_or_the_page_refuses_it():
    host = Wishes(train_ai=True, search=False, license="https://site.test/l")
    page = Wishes(robots="noindex", train_ai=False, search=True, ai_input=True)

    assert together(host, page) == Wishes(
        robots="noindex", train_ai=False, search=False, ai_input=True, license="https://site.test/l"
    )
    assert together(None, page) == page
    assert together(host, None) == host
