"""XML is read as XML: by namespaces, without entities, without anything from outside; else as HTML, and flagged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import BadSelector, WithoutElements
from scraper.html.generic import Generic
from tests.scraper.pages import page_of

XHTML = '<html xmlns="http://www.w3.org/1999/xhtml">'
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns:atom="http://www.w3.org/2005/Atom"><channel><atom:link rel="self" href="http://site.test/folder/page.html"/>
<title>News &amp; more</title><link>http://site.test/</link>
<item><title><![CDATA[One <b>bold</b>]]></title><link>/1</link><dc:creator>Ann</dc:creator>
<media:content url="http://site.test/film"/><guid isPermaLink="false">http://site.test/no</guid></item>
<item><title>Two</title><link>/2</link><guid>http://site.test/two</guid></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://site.test/base/"><title>Feed</title>
<entry><title>One</title><link href="1"/></entry><entry xml:base="deep/"><title>Two</title><link href="2"/></entry>
</feed>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc> http://site.test/1?a=1&amp;b=2 </loc>
<image:image><image:loc>http://site.test/i.png</image:loc></image:image></url></urlset>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><title>Drawing</title>
<a href="/new"><text>New</text></a><a xlink:href="/old"><text>Old</text></a></svg>"""


def feed(body: str = RSS, kind: str = "application/rss+xml", **page):
    return page_of(body, content_type=kind, **page)


def test_a_feed_has_elements_texts_a_title_and_links():
    page = feed()

    assert (page.is_xml, page.is_html, page.flags) == (True, False, ())
    assert page.title == "News & more"
    assert page.texts("item > title") == ["One <b>bold</b>", "Two"]
    assert page.texts("dc|creator") == ["Ann"]
    assert page.attr("media|content", "url") == "http://site.test/film"
    assert page.links() == ["http://site.test/", "http://site.test/1", "http://site.test/2", "http://site.test/two"]
    assert page.follow(*page.texts("item link")).urls == ("http://site.test/1", "http://site.test/2")


def test_elements_of_xml_have_the_pages_own_ways_to_read():
    first = feed().first("item")

    assert (first.tag, first.first("dc|creator").tag) == ("item", "dc:creator")
    assert (first.text("title"), first.texts("link"), first.attr("guid", "isPermaLink")) == (
        "One <b>bold</b>",
        ["/1"],
        "false",
    )
    assert first.css("item") == []
    assert feed("<a><b>1</b><b>2</b><p>x <i>y</i> z</p></a>", "text/xml").text("a") == "1\n2\nx y z"


@pytest.mark.parametrize(
    ("body", "kind", "title", "paths"),
    [
        (ATOM, "application/atom+xml", "Feed", ["/base/1", "/base/deep/2"]),
        (SITEMAP, "application/xml", None, ["/1?a=1&b=2"]),
        (SVG, "image/svg+xml", "Drawing", ["/new", "/old"]),
        (SVG, "text/xml; charset=utf-8", "Drawing", ["/new", "/old"]),
        (f"<?xml version='1.0'?>{SVG}", "", "Drawing", ["/new", "/old"]),
        (f"{XHTML}<head><title/><base href='/b/'/></head><a href='x'/></html>", "application/xhtml+xml", "", ["/b/x"]),
    ],
)  # fmt: skip
def test_each_kind_of_xml_has_its_title_and_links(body, kind, title, paths):
    page = feed(body, kind)

    assert (page.title, page.flags) == (title, ())
    assert [url.removeprefix("http://site.test") for url in page.links()] == paths


@pytest.mark.parametrize(
    ("body", "selector", "text"),
    [
        # what HTML's reader would take for the beginning of a long text
        ("<title/><p>x</p>", "p", "x"),
        ("<script src='a'/><p>x</p>", "p", "x"),
        ("<div/><p>x</p>", "div", ""),
        ("<p>a<![CDATA[<b> & ]]>c</p>", "p", "a<b> & c"),
        ("<p><div>in</div></p>", "p > div", "in"),
        ("<h:p xmlns:h='http://www.w3.org/1999/xhtml'>One</h:p>", "p", "One"),
        ("<div><p>One</p><p>Two</p></div>", "div", "One\n\nTwo"),
        ("<div>a<br/>b<script>x</script><i hidden='hidden'>y</i></div>", "div", "a\nb"),
        ("<div><svg xmlns='http://www.w3.org/2000/svg'><title>t</title></svg>b</div>", "div", "b"),
        ("<p class='a b' id='c'>x</p>", "p.a#c", "x"),
    ],
)
def test_xhtml_is_read_by_the_rules_of_xml_and_its_text_by_those_of_html(body, selector, text):
    page = feed(f"{XHTML}<body>{body}</body></html>", "application/xhtml+xml")

    assert (page.is_xml, page.is_html, page.text(selector)) == (True, True, text)


def test_xhtml_has_what_any_page_has():
    head = "<head><title>T</title><meta name='description' content='D'/><link rel='canonical' href='/c'/></head>"
    body = "<body><h1>H</h1><p>Text</p><a href='/x'>l</a></body>"
    [(_, data)] = Generic().extract(feed(f"{XHTML}{head}{body}</html>", "application/xhtml+xml"))

    assert (data["title"], data["description"], data["canonical"]) == ("T", "D", "http://site.test/c")
    assert (data["headings"], data["text"], data["flags"]) == ({"h1": ["H"]}, "H\nText\nl", [])


def test_a_feed_is_no_item_of_the_generic_extractor():
    assert list(Generic().extract(feed())) == []


@pytest.mark.parametrize(
    ("body", "kind", "flag"),
    [
        (f"{XHTML}<p>a<br>b</p>", "application/xhtml+xml", "xml_not_well_formed"),
        (f"{XHTML}<p>a &nbsp; b</p></html>", "application/xhtml+xml", "xml_not_well_formed"),
        ("<rss><p>a</rss>", "text/xml", "xml_not_well_formed"),
        ("<p>a", "application/xml", "xml_not_well_formed"),
        ("", "application/xml", "xml_not_well_formed"),
        ('<!DOCTYPE r [<!ENTITY e "x">]><p title="&e;">a &e;</p>', "text/xml", "xml_entities"),
        ('<!DOCTYPE r SYSTEM "a>b" [<!ENTITY % e "x">]><p>a</p>', "text/xml", "xml_entities"),
    ],
)
def test_what_is_no_plain_xml_is_read_as_html_and_flagged(body, kind, flag):
    page = feed(body, kind)

    assert (page.is_xml, page.flags) == (False, (flag,))
    assert (page.text("p") or "a").startswith("a")
    assert "x" not in (page.text("p") or "")
    assert page.links() == []


def test_the_flag_goes_with_the_item():
    [(_, data)] = Generic().extract(feed(f"{XHTML}<title>T</title><p>a<br>b", "application/xhtml+xml"))

    assert (data["title"], data["flags"]) == ("T", ["xml_not_well_formed"])


@pytest.mark.parametrize(
    "body", ["<r><p>a &amp; b</p>&eacute;</r>", "<r><p>a & b</p></r>", "\n<?xml version='1.0'?><r><p>a &amp; b</p></r>",
             "<r>\x02<p>a &amp; b</p></r>"]
)  # fmt: skip
def test_a_feed_with_what_html_allows_is_read_as_xml_all_the_same(body):
    page = feed(body)

    assert (page.is_xml, page.flags, page.text("p")) == (True, ("xml_repaired",), "a & b")


def test_names_of_characters_are_known_where_a_doctype_of_xhtml_says_so():
    doctype = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">'
    )
    page = feed(f"{doctype}{XHTML}<p>caf&eacute;&nbsp;!</p></html>", "application/xhtml+xml")

    assert (page.is_xml, page.flags, page.text("p")) == (True, (), "café !")


def test_a_declared_encoding_counts():
    body = '<?xml version="1.0" encoding="windows-1251"?><r><title>Привет</title></r>'.encode("cp1251")

    assert page_of(body, content_type="text/xml").title == "Привет"


@pytest.mark.parametrize("selector", ["item[", "a:hover", "input:checked", "nope|title", "a:no-such"])
def test_a_selector_that_xml_has_no_answer_to_is_named(selector):
    with pytest.raises(BadSelector, match="not a CSS selector"):
        feed().css(selector)


def test_what_does_not_apply_is_an_error_that_says_so():
    with pytest.raises(WithoutElements, match="read as XML"):
        _ = feed().html
    with pytest.raises(WithoutElements, match="not read as XML"):
        _ = page_of("<p>x").xml
    assert feed().xml.tag == "rss"


PARTS = "<a>|</a>|<p>|</p>|&amp;|&|&x;|<![CDATA[|]]>|<!--|-->|text|<br/>|<title>|</title>|<html xmlns='http://www.w3.org/1999/xhtml'>|</html>"


@given(st.lists(st.sampled_from(PARTS.split("|")), max_size=10).map("".join))
def test_any_scrap_is_a_page(body):
    page = feed(body, "application/xhtml+xml")

    assert page.title is None or page.title == page.title.strip()
    page.texts("*")
    page.links()
    list(Generic().extract(page))
