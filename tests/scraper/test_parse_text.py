"""Text is what a reader sees: the HTML standard's innerText, as far as it goes without a style sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scraper.pages import page_of


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        # blocks and breaks end lines, an empty line stands around paragraphs
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("one<div></div>two", "one\ntwo"),
        ("1<h1>2</h1>3", "1\n2\n3"),
        ("a<br>b", "a\nb"),
        ("a <br> b<br><br>c", "a\nb\n\nc"),
        ("a<br><div>b</div>", "a\nb"),
        ("a<hr>b", "a\nb"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<dl><dt>a<dd>b</dl>", "a\nb"),
        ("<p>a</p><p></p><p>b</p>", "a\n\nb"),
        ("a<span>1<div>2</div>3</span>b", "a1\n2\n3b"),
        # white space is collapsed over the bounds of elements
        ("a<b> b</b> <i>c </i> d", "a b c d"),
        (" \n a\t&nbsp; b \u2003 ", "a b"),
        ("H<sub>2</sub>O", "H2O"),
        # tables
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("<table><tr><td><p>a</p><td><p>b</p></table>", "a\tb"),
        ("<table><tr><td><td>x</table>", "x"),
        ("<table><tr><td>a<tr><td><td>x</table>", "a\n\tx"),
        ("<table><caption>c</caption><tr><th>a</table>", "c\na"),
        ("<table><tr><td><table><tr><td>i<td>j</table><td>b</table>", "i\tj\tb"),
        # where white space is meant
        ("<pre> a\n  b</pre>c", " a\n  b\nc"),
        ("<pre><b>a</b>\n  <i>b</i>\n</pre>", "a\n  b"),
        # what is not shown
        ("a<script>x</script><style>y</style><template>z</template><noscript>n</noscript>b", "ab"),
        ("a<svg><title>t</title><style>s</style><text>u</text></svg>b", "ab"),
        ("a<textarea>x</textarea><video>x</video><canvas>x</canvas><object>x</object><iframe>x</iframe>b", "ab"),
        ("a<i hidden>x</i>b<i hidden=until-found>c</i>", "abc"),
        ("a<dialog>x</dialog>b<dialog open>c</dialog>", "ab\nc"),
        ("a<meter value=1>x</meter>b<progress>x</progress>c", "abc"),
        ("a<!-- x -->b", "ab"),
        ("<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>", "ab"),
        # what is
        ("a<template shadowrootmode=open><p>in</p></template>b", "a\n\nin\n\nb"),
        ("a<iframe srcdoc='<p>x &amp;amp; y'></iframe>b", "a\n\nx & y\n\nb"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("<button>a</button>", "a"),
        ("", ""),
        ("<br>", ""),
    ],
)
def test_text_is_what_a_reader_sees(inner, text):
    page = page_of(f"<div id=it>{inner}</div>")

    assert page.text("#it") == text
    assert page.texts("#it") == [text]
    assert page.first("#it").text() == text


@pytest.mark.parametrize(
    ("body", "selector", "text"),
    [
        ("<script>\n let a =  1 </script>", "script", "let a =  1"),
        ("<title> a  b </title>", "title", "a b"),
        ("<textarea>a\n b</textarea>", "textarea", "a\n b"),
        ("<svg><text>a</text></svg>", "svg", "a"),
        ("<p hidden>a<b>c</b>", "p", "ac"),
        ("<table><tr><td>a<td>b</table>", "td", "a"),
        ("<template><p>a</template>", "template", ""),
        ("<pre>  a\n b</pre>", "pre", "  a\n b"),
    ],
)
def test_who_asks_for_an_element_gets_what_is_in_it(body, selector, text):
    assert page_of(body).text(selector) == text


def test_a_deep_page_needs_no_deep_stack():
    page = page_of("<b>" * 3_000 + "x" + "<i>" * 3_000 + "y")

    assert page.text("body") == "xy"
    assert page.survey.lines == ["xy"]


INLINE = st.sampled_from(["a", " ", "\n", "<b>", "</b>", "&nbsp;", "<a href=x>", "</a>", "c"])
BLOCKS = "<p>|</p>|<div>|</div>|<br>|<li>|<pre>|</pre>|<h1>|</h1>|<i hidden>|<svg>|x"
ANY = st.one_of(INLINE, st.sampled_from(BLOCKS.split("|")))


@given(st.lists(ANY, max_size=14).map("".join))
def test_a_survey_and_an_element_have_the_same_lines(body):
    page = page_of(f"<body>{body}")

    assert [line for line in "\n".join(page.survey.lines).split("\n") if line.strip()] == [
        line for line in page.text("body").split("\n") if line.strip()
    ]
