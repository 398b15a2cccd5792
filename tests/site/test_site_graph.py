"""The graph, the bodies and the truth of the simulated web, without HTTP."""

from html import unescape

import ada_url
import pytest
from protego import Protego
from selectolax.lexbor import LexborHTMLParser

from penstock.site import BadSiteOption, SiteOptions, Web, expected
from penstock.site.graph import Kind
from penstock.site.pages import page_body
from penstock.site.robots import is_disallowed, made_huge, rules, sitemap, with_mark

PORT = 8000


def make_web(**options: object) -> Web:
    defaults = {"hosts": 4, "pages": 240, "links": 12, "page_kb": 2}
    return Web(SiteOptions(**(defaults | options)), port=PORT)  # type: ignore[arg-type]


def links_in(body: bytes, *, url: str) -> set[str]:
    """The http links of a page as a browser resolves them, without fragments."""
    tree = LexborHTMLParser(body)
    base_tag = tree.css_first("base[href]")
    base = ada_url.join_url(url, base_tag.attributes["href"] or "") if base_tag else url
    hrefs = (node.attributes["href"] for node in tree.css("a[href]"))
    resolved = (ada_url.join_url(base, href or "") for href in hrefs)
    return {link.partition("#")[0] for link in resolved if link.startswith("http:")}


def test_a_browser_resolves_every_spelling_of_a_link_to_what_the_graph_says():
    web = make_web()

    for number in range(web.options.pages):
        found = links_in(page_body(web, number), url=web.url(number))
        # The home link, and the empty one, which means the page itself.
        assert found - {f"http://{web.host_of(number)}/", web.url(number)} <= set(web.links(number))
        assert set(web.links(number)) <= found


def test_every_url_is_canonical_as_it_stands():
    web = make_web()

    for url in expected(web):
        assert ada_url.URL(url).href == url


def test_every_page_can_be_reached_from_the_first_root():
    web = make_web()

    pages = {url for url, truth in expected(web).items() if truth.kind is Kind.PAGE}

    assert pages == {web.url(number) for number in range(web.options.pages)}
    assert len(pages) == web.options.pages


@pytest.mark.parametrize("hosts", [1, 2, 7])
def test_every_page_of_a_host_can_be_reached_without_leaving_it(hosts):
    web = make_web(hosts=hosts)

    pages = {url for url, truth in expected(web, scope="host").items() if truth.kind is Kind.PAGE}

    assert pages == {web.url(number) for number in web.pages_of(web.hosts[0])}


def test_the_web_has_redirects_missing_and_forbidden_pages():
    truths = expected(make_web()).values()

    statuses = {truth.status for truth in truths}
    assert {200, 301, 302, 307, 308, 404} <= statuses
    assert any(not truth.allowed for truth in truths)
    assert any(truth.kind is Kind.PRIVATE and truth.allowed for truth in truths)


def test_the_same_options_make_the_same_web_and_another_seed_another():
    assert expected(make_web(seed=5)) == expected(make_web(seed=5))
    assert expected(make_web(seed=5)) != expected(make_web(seed=6))


def test_a_greatest_depth_leaves_out_what_lies_deeper():
    web = make_web()

    shallow = expected(web, max_depth=1)

    assert 1 < len(shallow) < len(expected(web))
    assert max(truth.depth for truth in shallow.values()) == 1


def test_bodies_are_about_as_long_as_asked_for():
    web = make_web(page_kb=37, links=80)

    sizes = [len(page_body(web, number)) for number in range(20)]

    assert all(37 * 1024 <= size < 39 * 1024 for size in sizes)


def test_the_truth_about_a_title_is_what_a_parser_reads():
    web = make_web()

    title = LexborHTMLParser(page_body(web, 9)).css_first("title").text()

    assert unescape(title) == web.title(9)


@pytest.mark.parametrize("shown", [bytes, with_mark, lambda text: made_huge(text)[: 512 * 1024]])
def test_what_robots_txt_forbids_is_what_the_truth_forbids(shown):
    web = make_web()
    text = shown(rules(web, host=web.hosts[0])).decode("utf-8-sig")
    robots = Protego.parse(text)

    for url in expected(web):
        path = "/" + url.split("/", 3)[3]
        assert robots.can_fetch(url, "penstock") is not is_disallowed(path), url


def test_robots_that_cannot_be_had_forbid_everything_and_absent_ones_nothing():
    assert all(is_disallowed("/", robots=variant) for variant in ("500", "timeout"))
    assert not any(is_disallowed("/private/report-7", robots=variant) for variant in ("404", "html"))


def test_the_sitemap_lists_the_pages_of_its_host():
    web = make_web()

    found = LexborHTMLParser(sitemap(web, host=web.hosts[1])).css("loc")

    assert [node.text() for node in found] == [web.url(number) for number in web.pages_of(web.hosts[1])]


@pytest.mark.parametrize(
    "wrong",
    [{"hosts": 0}, {"hosts": 9, "pages": 8}, {"port": 70_000}, {"error_rate": 2}, {"robots": "maybe"}],
)
def test_an_option_out_of_range_is_named_in_one_line(wrong):
    with pytest.raises(BadSiteOption, match=r"^[a-z_]+ must be [^\n]*$"):
        SiteOptions(**wrong)
