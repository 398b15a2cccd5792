"""What is taken from a page without a spider."""

import msgspec
import pytest

from scraper.html import claims, generic, survey
from scraper.html.jsonld import MAX_BLOCK_CHARS, read_jsonld
from tests.scraper.pages import page_of


def described(body: str, **page):
    [(kind, data)] = generic.Generic().extract(page_of(body, **page))
    assert kind == "page"
    return data


def test_everything_that_a_page_says_about_itself():
    data = described("""
        <html lang="de-AT"><head><title> The
        title </title><meta name="Description" content=" What it
        is "><link rel="alternate canonical" href="/true#x"><meta property="og:title" content="OG">
        <script type="application/ld+json">{"@type": "Thing"}</script></head>
        <body><nav>Menu</nav><h1>Head <i>line</i></h1><p>First.</p><h2>Sub</h2><h2></h2><script>bad()</script>
        <ul><li>a<li>b</ul><footer>Foot</footer></body>
    """)

    assert data == {
        "title": "The title",
        "description": "What it is",
        "canonical": "http://site.test/true",
        "language": "de-AT",
        "headings": {"h1": ["Head line"], "h2": ["Sub"]},
        "opengraph": {"og:title": "OG"},
        "jsonld": [{"@type": "Thing"}],
        "text": "Head line\nFirst.\nSub\na\nb",
        "flags": [],
    }


def test_a_page_that_says_nothing_has_the_same_fields():
    data = described("")

    assert data["title"] is None
    assert (data["text"], data["headings"], data["jsonld"]) == ("", {}, [])


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<p>see <a>this</a>.</p>", "see this."),
        ("<p>H<sub>2</sub>O</p>", "H2O"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<td>a</td>", "a"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a\tb"),
        ("<table><tr><td>a</td></tr><tr><td></td><td>b</td></tr></table>", "a\nb"),
        ("one<br>two", "one\ntwo"),
        ("<nav>menu</nav><main><p>main</p><script>x</script></main><p>after</p>", "main"),
        ("<div>before</div><article>only</article>", "only"),
        ("<article>1</article><article>2</article>", "1\n2"),
        ("<p>a&nbsp;b\n\n c</p>", "a b c"),
        ("x<style>p{}</style><template><p>t</p></template><noscript>n</noscript>", "x"),
    ],
)
def test_text_is_what_a_reader_sees_a_line_for_each_block(body, text):
    assert described(body)["text"] == text


def test_long_text_is_cut_and_said():
    data = described("<p>" + "word " * 40_000)

    assert len(data["text"]) == generic.MAX_TEXT_CHARS
    assert data["flags"] == ["text_cut"]


def test_headings_and_properties_are_bounded():
    data = described(
        "".join(f'<meta property="og:{i}" content="{"x" * 5000}">' for i in range(500)) + "<h1>y</h1>" * 500
    )

    assert len(data["opengraph"]) == claims.MAX_PROPERTIES
    assert max(map(len, data["opengraph"].values())) == claims.MAX_PROPERTY_CHARS
    assert len(data["headings"]["h1"]) == survey.MAX_HEADINGS


@pytest.mark.parametrize("href", ["javascript:x", "http://[", ""])
def test_a_canonical_link_that_is_no_web_address_does_not_count(href):
    assert described(f'<link rel=canonical href="{href}">')["canonical"] in (None, "http://site.test/folder/page.html")


def test_what_is_no_html_has_no_item():
    assert list(generic.Generic().extract(page_of("<p>x", content_type="text/plain"))) == []


def test_the_version_is_a_hash_of_the_source():
    assert len(generic.Generic.version) == 12


@pytest.mark.parametrize(
    ("text", "found", "flags"),
    [
        ('{"a": 1}', [{"a": 1}], []),
        ('[{"a": 1}, {"b": 2}]', [{"a": 1}, {"b": 2}], []),
        ('{"a": "line\nbreak\t"}', [{"a": "line\nbreak\t"}], []),
        ('{"a": NaN, "b": -Infinity}', [{"a": None, "b": None}], []),
        ('{"a": 1, "a": 2}', [{"a": 2}], []),
        ('{"a": "\\ud83d", "b\\u0000": "x"}', [{"a": "\ufffd", "b\ufffd": "x"}], []),
        ('{"a": "\\ud83d\\ude00"}', [{"a": "😀"}], []),
        ('{"a": ' + "9" * 30 + "}", [{"a": 1e30}], []),
        ('{"a": ' + "9" * 10_000 + "}", [{"a": None}], []),
        ("{", [], ["jsonld_invalid"]),
        ("", [], ["jsonld_invalid"]),
        ("<!-- no json -->", [], ["jsonld_invalid"]),
        # what wraps it, and what is one too many
        ('//<![CDATA[\n{"a": "http://x/y"}\n//]]>', [{"a": "http://x/y"}], []),
        ('/*<![CDATA[*/{"a": 1}/*]]>*/', [{"a": 1}], []),
        ('<![CDATA[{"a": "]]>"}]]>', [{"a": "]]>"}], []),
        ('<!-- {"a": 1} -->', [{"a": 1}], []),
        ('\ufeff{"a": 1}', [{"a": 1}], []),
        ('{"a": [1, 2,], /* so */ }; // end', [{"a": [1, 2]}], []),
        ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}], []),
        ('{"a": 1}, {"b": 2},', [{"a": 1}, {"b": 2}], []),
        ('{"a": "it\\\'s // no /* comment */", }', [{"a": "it's // no /* comment */"}], []),
        ('{"a": "x, }", "b": "\\"",}', [{"a": "x, }", "b": '"'}], []),
        ("{&quot;a&quot;: 1}", [{"a": 1}], []),
        ('{"a": 1} and more', [{"a": 1}], ["jsonld_invalid"]),
        ('{"a": 1,, "b": [2,,3,]}', [{"a": 1, "b": [2, 3]}], []),
        ('{"a":\u00a0"\u00a0,,",\u2028"b": 2}\0', [{"a": "\u00a0,,", "b": 2}], []),
        ('{"a": 1e999, "b": -1e999, "c": 1.5}', [{"a": None, "b": None, "c": 1.5}], []),
        # only objects come out
        ('["x", 1, {"a": 1}, [{"b": 2}], null]', [{"a": 1}, {"b": 2}], []),
        ('"text"', [], []),
        ("[" * 50 + "]" * 50, None, []),
        ("[" * 150 + "]" * 150, [], ["jsonld_too_deep"]),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, [], ["jsonld_too_deep"]),
        ("[" * 100_000, [], ["jsonld_too_deep"]),
        ('"' + "x" * MAX_BLOCK_CHARS + '"', [], ["jsonld_too_large"]),
    ],
)
def test_json_ld_is_read_leniently_and_within_bounds(text, found, flags):
    value, said = read_jsonld([text])

    assert said == flags
    assert found is None or value == found
    msgspec.json.encode(value)


def test_a_broken_block_costs_no_other():
    value, flags = read_jsonld(["{", '{"a": 1}', "{"])

    assert (value, flags) == ([{"a": 1}], ["jsonld_invalid"])


def test_json_ld_of_ten_megabytes_is_skipped():
    value, flags = read_jsonld(['{"a": "' + "x" * 10_000_000 + '"}'])

    assert (value, flags) == ([], ["jsonld_too_large"])


def test_json_ld_may_have_a_type_with_parameters():
    body = '<script type="Application/LD+JSON; charset=utf-8">{"a": 1}</script><script type=module>{"b": 1}</script>'

    assert described(body)["jsonld"] == [{"a": 1}]


def test_claims_are_read_by_name_and_by_property_and_repeated_ones_are_lists():
    data = described("""
        <meta name="og:title" content="T"><meta property="og:title" content="T">
        <meta property="og:image" content="a.png"><meta property="og:image" content="b.png">
        <meta property="article:tag" content="x"><meta property="article:tag" content="y">
        <meta name="twitter:card" content="summary">
        <meta property="Twitter:Site" content="@s"><meta name=other content=x>
    """)

    assert data["opengraph"] == {
        "og:title": "T",
        "og:image": ["a.png", "b.png"],
        "article:tag": ["x", "y"],
        "twitter:card": "summary",
        "twitter:site": "@s",
    }


TEXT = "This sentence is long enough to be one of an article, and nobody would take it for an entry of a menu. "
ON_TWO_LINES = f"{TEXT.strip()}\n{TEXT.strip()}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # nothing in it: it holds nothing
        (f"<main></main><div><p>{TEXT}</p></div>", TEXT.strip()),
        (f"<main> <script>x</script></main><div><p>{TEXT}</p></div>", TEXT.strip()),
        # a teaser is not the page
        (f"<article><p>Short teaser.</p></article><div><p>{TEXT}</p><p>{TEXT}</p></div>", ON_TWO_LINES),
        # whose words these are is a part of the words
        (f"<div><p>{TEXT}</p><blockquote>{TEXT}<footer>The author</footer></blockquote></div><footer>Imprint</footer>",
         f"{ON_TWO_LINES}\nThe author"),
        # menus, and what says that it stands beside the text
        (f"<ul>{'<li><a href=x>Entry of a menu</a>' * 9}</ul><div><p>{TEXT}</p></div>"
         f"<div class=comments><p>{TEXT}!</p></div>",
         TEXT.strip()),
        # most of the page's text is no comment, whatever its class says
        (f"<div class=with-comments><p>{TEXT * 9}</p></div><p>{TEXT}</p>", (TEXT * 9).strip()),
    ],
)  # fmt: skip
def test_the_main_text_is_where_the_text_is(body, text):
    assert described(body)["text"] == text


def test_headings_are_lines_without_what_is_no_text():
    data = described("<h1>A<br>b<style>i{}</style><svg><title>Icon</title></svg></h1><h2><script>x</script></h2>")

    assert data["headings"] == {"h1": ["A b"]}


def test_reading_a_page_changes_nothing_of_it():
    page = page_of("<nav>m</nav><main><p>a</p><script>x</script></main>")
    before = page.html.html

    list(generic.Generic().extract(page))

    assert page.html.html == before


ASIDE = """
    <a href=/1>1</a><nav><h2>Menu <i hidden>x</i></h2><a href=/2>2</a><ul hidden><li><a href=/3>3</a></ul>
    <script type="application/ld+json">{"@type": "SiteNavigationElement"}</script><iframe src=/4></iframe></nav>
    <div hidden><a href=/5>5</a></div><footer><svg><a xlink:href=/6></a></svg></footer><a href=/7>7</a>
"""


def test_what_is_hidden_or_beside_the_text_has_links_headings_and_facts_all_the_same():
    page = page_of(ASIDE)
    [(_, data)] = generic.Generic().extract(page)

    assert [url.rpartition("/")[2] for url in page.links()] == list("1234567")
    assert page_of(ASIDE).links() == page.links()  # as a spider's crawl has them
    assert data["headings"] == {"h2": ["Menu"]}
    assert data["jsonld"] == [{"@type": "SiteNavigationElement"}]


def test_claims_in_a_document_within_the_page_are_none_of_its_own():
    body = "<iframe srcdoc='<meta name=robots content=nofollow><link rel=canonical href=/x><a href=/in>x</a>'></iframe>"
    page = page_of(body)

    assert page.wishes() is None
    assert [url.rpartition("/")[2] for url in page.links()] == ["in"]
