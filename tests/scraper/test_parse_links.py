"""Which links a page has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.html.links import MAX_LINKS_CHARS, MAX_URL_CHARS, Links, resolve, resolve_all
from scraper.page import Page
from scraper.warc import StoredPage
from tests.scraper.pages import URL, page_of

BASE = "http://site.test/folder/page.html?q=1"


def links(body: str, **page):
    return page_of(body, **page).links()


def test_all_kinds_of_links_are_found_in_the_order_of_the_page():
    body = """
        <a href="1">x</a> <map><area href="/2"></map> <iframe src="3"></iframe> <a href="http://other.test">y</a>
        <a rel="nofollow" href="4">z</a> <a name="no-link">n</a> <img src="no-link.png"> <link href="no-link.css">
    """

    assert links(body) == [
        "http://site.test/folder/1",
        "http://site.test/2",
        "http://site.test/folder/3",
        "http://other.test/",
        "http://site.test/folder/4",
    ]


def test_frames_are_links():
    assert links("<frameset><frame src=a.html><frame src=b.html></frameset>") == [
        "http://site.test/folder/a.html",
        "http://site.test/folder/b.html",
    ]


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("a", "http://site.test/folder/a"),
        ("../a/./b/../c", "http://site.test/a/c"),
        ("?x=1&amp;y", "http://site.test/folder/page.html?x=1&y"),
        ("//other.test/x", "http://other.test/x"),
        (" \n http://e.test/\ta ", "http://e.test/a"),
        ("\x01/a", "http://site.test/a"),
        ("HTTP://EX.test:80/%7Ea/../b?#f", "http://ex.test/b?"),
        ("http://127.0.0.1\\@e.test/", "http://127.0.0.1/@e.test/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("/%2F%23?a=%3B", "http://site.test/%2F%23?a=%3B"),
        ("/ü", "http://site.test/%C3%BC"),
        ("http://faß.test/", "http://xn--fa-hia.test/"),
        ("a#x", "http://site.test/folder/a"),
    ],
)
def test_a_link_is_resolved_as_browsers_do(href, url):
    assert links(f'<a href="{href}">') == [url]


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)", "JaVaScript:x", "mailto:a@b.test", "data:text/html,x", "file:///etc/passwd",
        "ftp://a.test/", "gopher://a.test/", "http://exa mple.test/", "http://[::1", "http:///", "http://a.test:99999/",
        "http://a%zz.test/", "http://a&lt;b.test/", "#top", "", "   ", "page.html#x",
    ],
)  # fmt: skip
def test_what_leads_nowhere_or_to_the_page_itself_is_no_link(href):
    assert links(f'<a href="{href}"><a href="/good">') == ["http://site.test/good"]


def test_a_link_comes_once_however_it_is_written():
    page = page_of("<a href='/a'><a href='/a#x'><a href='../a'><a href='http://site.test/a'><a href='/b'>")

    assert page.links() == ["http://site.test/a", "http://site.test/b"]
    assert page.all_links.found == 2


@pytest.mark.parametrize(
    ("bases", "url"),
    [
        ("<base href='/other/'>", "http://site.test/other/a"),
        ("<base href='http://b.test/x/y'><base href='/z/'>", "http://b.test/x/a"),
        ("<base target=_blank><base href='/z/'>", "http://site.test/z/a"),
        ("<base href=''><base href='/z/'>", "http://site.test/folder/a"),
        # the first one counts also where it names nothing to go by, as in Chromium
        ("<base href='javascript:x'><base href='/z/'>", "http://site.test/folder/a"),
        ("<base href='http://['><base href='/z/'>", "http://site.test/folder/a"),
        ("<base href='http://u:p@b.test/x/'>", "http://b.test/x/a"),
        ("<base href='data:,x'>", "http://site.test/folder/a"),
        ("<base target=_blank>", "http://site.test/folder/a"),
    ],
)
def test_the_first_base_counts(bases, url):
    assert links(f"<head>{bases}</head><a href='a'>") == [url]


@pytest.mark.parametrize("base", ["mailto:a@b.test", "about:blank", "blob:http://a.test/1", "ftp://a.test/b/"])
def test_below_a_base_that_is_no_place_of_the_web_only_whole_urls_lead_somewhere(base):
    page = page_of(
        f"<base href='{base}'><a href=x><a href=/y><a href='?z'><a href='#f'><a href=''><a href=http://q.test/>"
    )

    assert page.links() == ["http://q.test/"]
    assert page.follow("x", "http://q.test/z").urls == ("http://q.test/z",)


def test_an_empty_link_below_a_base_leads_to_the_base():
    assert links("<base href='/other/?q'><a href='#x'>") == ["http://site.test/other/?q"]


@pytest.mark.parametrize(
    ("content", "url"),
    [
        ("0;url=/next", "http://site.test/next"),
        ("5; URL = 'next'", "http://site.test/folder/next"),
        ('0;url="/next"', "http://site.test/next"),
        ("0, /next", "http://site.test/next"),
        (" 0;url = /next", "http://site.test/next"),
        (".5 /next", "http://site.test/next"),
        ("0;url='/next'rest", "http://site.test/next"),
        ("0;URLs", "http://site.test/folder/URLs"),
        ("0; '/next", "http://site.test/next"),
        ("url=/next", None),
        ("/next", None),
        (";url=/next", None),
        ("0x;url=/next", None),
        ("-1;url=/next", None),
        ("", None),
        ("3", None),
        ("0;url=javascript:x", None),
        ("0;url=page.html", None),
    ],
)
def test_a_meta_refresh_is_a_redirect(content, url):
    page = page_of(f"<meta http-equiv='REFRESH' content='{content}'>".replace("''", "'"), url=URL)
    if "'" in content:
        page = page_of(f'<meta http-equiv="REFRESH" content="{content}">', url=URL)

    assert page.all_links.refresh == url
    assert page.links() == []


def test_links_over_the_limit_are_counted():
    page = page_of("".join(f"<a href='/{i}'>" for i in range(50)), max_links=20)

    assert len(page.links()) == 20
    assert (page.all_links.found, page.all_links.left_out) == (50, 30)


def test_a_long_base_cannot_make_a_huge_message_of_short_links():
    short = "".join(f"<a href='{i}'>" for i in range(3_000))
    page = page_of(f"<base href='http://b.test/{'x' * (MAX_URL_CHARS - 100)}/'>{short}")

    assert sum(map(len, page.links())) <= MAX_LINKS_CHARS
    assert page.all_links.found == 3_000
    assert page.all_links.left_out > 0


def test_a_url_of_absurd_length_is_no_link():
    assert links(f"<a href='/{'x' * 70_000}'><a href='/a'>") == ["http://site.test/a"]


def test_a_hundred_thousand_links_are_cut_at_the_bound():
    """In about a second; were it quadratic, the suite's time limit would end it."""
    page = page_of("".join(f"<a href='/{i}'>" for i in range(100_000)), max_links=10_000)

    assert len(page.links()) == 10_000


def test_what_is_no_html_has_no_links():
    assert page_of("<a href=/x>", content_type="text/plain").all_links == Links()


BOTH = pytest.mark.parametrize("surveyed", [False, True])


def found(body: str, *, surveyed: bool, **page) -> Links:
    """The links, found with the text or without."""
    one = page_of(body, **page)
    if surveyed:
        assert one.survey
    return one.all_links


@BOTH
@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("<div><template shadowrootmode=open><a href=/in>x</a></template></div>", ["/in"]),
        ("<template shadowrootmode=Closed><template shadowrootmode=open><a href=/in>x</a></template>", ["/in"]),
        ("<template><a href=/in>x</a></template>", []),
        ("<template shadowrootmode=no><a href=/in>x</a></template>", []),
        ("<iframe srcdoc='<a href=/in>x</a>' src=/fallback></iframe>", ["/in"]),
        ("<svg><a href=/new><text>x</text></a><a xlink:href=/old></a><a href=/1 xlink:href=/2></a></svg>",
         ["/new", "/old", "/1"]),
        ("<a xlink:href=/phantom>x</a><p xlink:href=/phantom>", []),
        ("<noscript><a href=/in>x</a></noscript><nav><a href=/nav>x</a></nav>", ["/in", "/nav"]),
        ("<script>'<a href=/in>'</script><style><a href=/in></style><textarea><a href=/in></textarea>", []),
    ],
)  # fmt: skip
def test_what_is_shown_has_links_and_nothing_else(body, paths, surveyed):
    assert [url.removeprefix("http://site.test") for url in found(body, surveyed=surveyed).urls] == paths


@BOTH
@pytest.mark.parametrize(
    ("header", "body", "url"),
    [
        ("0; url=/header", "", "http://site.test/header"),
        ("0; url=/header", "<meta http-equiv=refresh content='0;url=/meta'>", "http://site.test/header"),
        ("nonsense", "<meta http-equiv=refresh content='0;url=/meta'>", "http://site.test/meta"),
        ("5", "<meta http-equiv=refresh content='0;url=/meta'>", None),
    ],
)
def test_a_refresh_header_is_a_redirect_too(header, body, url, surveyed):
    page = Page(
        StoredPage(
            url=URL, status=200, headers=[("Content-Type", "text/html"), ("Refresh", header)], body=body.encode()
        )
    )
    if surveyed:
        assert page.survey

    assert page.all_links.refresh == url


MARKUP = """
<a href=/1>|</a>|<div>|</div>|<svg>|</svg>|<a xlink:href=/2>|<template shadowrootmode=open>|</template>|<p>|<template>
|<iframe src=/3></iframe>|<iframe srcdoc='<a href=/4>'></iframe>|<base href=/b/>|<noscript>|</noscript>|<area href=5>
|<table>|<td>|<foreignObject>|<title>|<a href>|<meta http-equiv=refresh content='1;6'>|<script>|</script>|<frameset>
|<frame src=7>
"""
TAGS = st.sampled_from(MARKUP.split("|"))


@given(st.lists(TAGS, max_size=12).map("".join))
def test_links_are_the_same_whether_the_text_is_read_or_not(body):
    with_text, without = found(body, surveyed=True), found(body, surveyed=False)

    assert set(with_text.urls) == set(without.urls)
    assert with_text.refresh == without.refresh


HREFS = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="/.?#:@\\ \t%aA1", max_size=12),
    st.sampled_from(["http:", "https://x", "//", "?", "#", "..", "./"]),
)


@given(st.lists(HREFS, max_size=5), st.sampled_from([BASE, "http://h", "http://h/a?b#c", "https://h:8443/x/y/?z"]))
def test_remembering_folders_changes_no_link(hrefs, base):
    one_by_one = [url for href in hrefs if (url := resolve(href, base))]

    assert list(resolve_all(hrefs, base)) == one_by_one
    assert list(resolve_all(hrefs, base)) == one_by_one
