"""What a spider's function can ask of a page."""

import pytest

from scraper.html.generic import describe
from scraper.html.text import encoding_of
from scraper.page import BadSelector, WithoutElements
from tests.scraper.pages import page_of

BODY = """
<title> A
  title </title>
<h1>One  <b>bold</b>
  word</h1><h1></h1>
<p class=price data-x=1>£5</p><p class=price>£6</p>
<a class=next href="next.html">n</a> <a href="javascript:x">j</a>
"""


def test_texts_come_with_their_white_space_collapsed():
    page = page_of(BODY)

    assert page.title == "A title"
    assert page.text("h1") == "One bold word"
    assert page.texts(".price") == ["£5", "£6"]


def test_what_is_not_there_is_none_or_the_default():
    page = page_of(BODY)

    assert page.text("h6") is None
    assert page.text("h6", "none") == "none"
    assert page.text("h1 ~ h1") == ""
    assert page.attr("p", "nope") is None
    assert page.attr("p", "nope", "d") == "d"
    assert page.texts("h6") == []


def test_attributes_are_read_from_elements_that_have_them():
    page = page_of(BODY)

    assert page.attr("p", "data-x") == "1"
    assert page.attrs("p", "data-x") == ["1"]
    assert page.attrs("a", "href") == ["next.html", "javascript:x"]


@pytest.mark.parametrize("selector", ["a[", "", "::", "p:nth-child(", "a:no-such"])
def test_a_bad_selector_is_named(selector):
    page = page_of(BODY)

    for ask in (
        page.css,
        page.text,
        page.texts,
        page.first,
        lambda css: page.attr(css, "x"),
        lambda css: page.attrs(css, "x"),
    ):
        with pytest.raises(BadSelector) as caught:
            ask(selector)
        assert repr(selector) in str(caught.value)


def test_headers_are_found_in_lower_case():
    assert page_of(BODY).headers == {"content-type": "text/html; charset=utf-8"}


def test_follow_takes_urls_elements_and_selectors():
    page = page_of(BODY)

    assert page.follow("/a", "b#x").urls == ("http://site.test/a", "http://site.test/folder/b")
    assert page.follow(*page.css("a")).urls == ("http://site.test/folder/next.html",)
    assert page.follow(css=".next").urls == ("http://site.test/folder/next.html",)
    assert list(page.followed) == [
        "http://site.test/a", "http://site.test/folder/b", "http://site.test/folder/next.html"
    ]  # fmt: skip


def test_a_base_counts_in_whatever_is_resolved():
    page = page_of("<base href='/b/'><link rel=canonical href=c><a href=x>x</a>")

    assert page.urljoin("y") == "http://site.test/b/y"
    assert page.follow("y").urls == ("http://site.test/b/y",)
    assert page.follow(css="a").urls == ("http://site.test/b/x",)
    assert page.links() == ["http://site.test/b/x"]
    assert describe(page)["canonical"] == "http://site.test/b/c"


def test_an_element_has_the_pages_own_ways_to_read():
    page = page_of("<ul><li class=a><a href=1>One</a> <b>x</b><li><a href=2>Two</a><ul><li>in</ul></ul>")
    first, second, _ = page.css("li")

    assert (first.text(), first.text("a"), first.text("i", "none")) == ("One x", "One", "none")
    assert (first.texts("a, b"), first.attr("a", "href"), first.attrs("a", "href")) == (["One", "x"], "1", ["1"])
    assert (first.attr("class"), first.own("id"), first.attr("a", "id", "none")) == ("a", None, "none")
    assert [one.text() for one in second.css("li")] == ["in"]
    assert first == page.first("li.a")
    assert (first.tag, first.attributes, first.parent.tag) == ("li", {"class": "a"}, "ul")
    assert page.follow(first.first("a")).urls == ("http://site.test/folder/1",)
    with pytest.raises(BadSelector):
        first.css("a[")


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("<svg><title>Icon</title></svg><title>Real</title>", "Real"),
        ("<body><svg><title>Icon</title></svg>", None),
        ("<title></title><title>Second</title>", ""),
        ("<title>A\n  &amp; b</title>", "A & b"),
    ],
)
def test_the_title_is_the_documents_own(body, title):
    page = page_of(body)

    assert page.title == title
    assert page_of(body).survey.title == title


def test_a_link_can_be_joined():
    assert page_of(BODY).urljoin("../x?y#z") == "http://site.test/x?y#z"
    with pytest.raises(ValueError, match="URL"):
        page_of(BODY).urljoin("http://[")


def test_json_is_read_by_the_rules_for_text():
    assert page_of('\ufeff{"a": "é"}', content_type="application/json").json() == {"a": "é"}
    with pytest.raises(ValueError, match="Expecting"):
        page_of("no json").json()


def test_a_page_in_another_encoding_reads_the_same():
    body = '<meta charset="windows-1251"><title>Привет</title>'.encode("cp1251")

    assert page_of(body, content_type="text/html").title == "Привет"
    assert encoding_of(body) == "windows-1251"


@pytest.mark.parametrize(
    ("body", "content_type", "is_html"),
    [
        ("x", "text/html", True),
        ("x", "TEXT/HTML;charset=", True),
        ("x", "application/xhtml+xml", True),
        ("", "text/html", True),
        ("<p>x", "text/plain", False),
        ("<p>x", "application/json", False),
        ("<p>x", "application/octet-stream", False),
        ("<p>x", "image/png", False),
        ("<p>x", "", True),
        (" \n<!doctype html>", "", True),
        ("\ufeff<HTML>", "*/*", True),
        ("<parrot>", "", False),
        ("plain", "", False),
        ("<p>x", "nonsense", True),
        ("%PDF-1.7", "text/html", False),
        (b"\x89PNG\r\n", "text/html", False),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">', "application/xml", True),
        ("<rss>", "text/xml", False),
    ],
)
def test_whether_a_body_is_html(body, content_type, is_html):
    assert page_of(body, content_type=content_type).is_html is is_html


@pytest.mark.parametrize(
    "ask",
    [
        lambda page: page.css("p"),
        lambda page: page.text("p"),
        lambda page: page.texts("p"),
        lambda page: page.attr("p", "x"),
        lambda page: page.title,
        lambda page: page.links(),
        lambda page: page.html,
    ],
)
def test_a_body_that_can_have_no_elements_says_so_when_it_is_asked_for_them(ask):
    page = page_of("<p>x", content_type="text/plain")

    with pytest.raises(WithoutElements, match="text/plain"):
        ask(page)
    assert (page.body_text, page.has_elements) == ("<p>x", False)


@pytest.mark.parametrize("body", ["", "\0\0\0", "<", "<!--", "<title", "a\ud7ff", "\x1b[31m", "<svg><title>x"])
def test_scraps_are_pages_too(body):
    page = page_of(body)

    page.title, page.links(), page.css("*")


def test_it_says_what_it_is():
    assert repr(page_of("ab")) == "<Page http://site.test/folder/page.html: 200, 2 bytes of text/html; charset=utf-8>"
