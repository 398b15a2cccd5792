"""What a spider is made of, and which of its functions meet which page."""

import hashlib
from pathlib import Path

import pytest

from contract.errors import Refused
from scraper import Page, Spider
from tests.scraper.pages import page_of


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("/catalogue/*/index.html", "http://a.test/catalogue/x_1/index.html", True),
        ("/catalogue/*/index.html", "http://a.test/catalogue/x/y/index.html", False),
        ("/catalogue/*/index.html", "http://a.test/old/catalogue/x/index.html", False),
        ("/catalogue/*/index.html", "http://a.test/catalogue/x/index.html?page=2", True),
        ("/catalogue/**", "http://a.test/catalogue/x/y/z", True),
        ("/**/x", "http://a.test/a/b/x", True),
        ("/", "http://a.test/", True),
        ("/", "http://a.test/x", False),
        ("/a.b", "http://a.test/aXb", False),
        ("/[a]", "http://a.test/a", False),
        ("/list?page=*", "http://a.test/list?page=2", True),
        ("/list?page=*", "http://a.test/list", False),
        ("/list?page=*", "http://a.test/listXpage=2", False),
        ("http://a.test/*", "http://a.test/x", True),
        ("http://a.test/*", "http://b.test/x", False),
        ("http*", "http://b.test/x", None),
        ("https://*.a.test/**", "https://www.a.test/x/y?z", True),
        ("/ü*", "http://a.test/%C3%BCber", True),
        ("", "http://a.test/", None),
        ("catalogue/*", "http://a.test/catalogue/x", None),
    ],
)
def test_a_pattern_fits_or_not(pattern, url, fits):
    spider = Spider("s")
    if fits is None:
        with pytest.raises(Refused, match="must begin with"):
            spider.page(pattern)
        return
    spider.page(pattern)(lambda page: None)

    assert bool(spider.functions_for(page_of("", url=url))) is fits


def test_functions_are_called_in_their_order_and_name_their_items():
    spider = Spider("s")

    @spider.page("/**")
    def title(page: Page):
        yield {"title": page.title}

    @spider.page("/folder/*")
    def lengths(page: Page):
        return [{"length": len(page.body)}, None]

    @spider.page("/other")
    def other(page: Page):
        return {"never": True}

    assert list(spider.extract(page_of("<title>T"))) == [("title", {"title": "T"}), ("lengths", {"length": 8})]


def test_the_decorator_leaves_the_function_as_it_is():
    spider = Spider("s")

    @spider.page("/a")
    @spider.page("/b")
    def both(page: Page):
        return {"url": page.url}

    assert both(page_of("", url="http://x.test/c")) == {"url": "http://x.test/c"}
    assert [name for name, _ in spider.extract(page_of("", url="http://x.test/b"))] == ["both"]


@pytest.mark.parametrize("result", ["text", 5, ["text"], b"x", [("a", 1)]])
def test_anything_else_than_objects_is_refused_by_name(result):
    spider = Spider("s")

    @spider.page("/**")
    def odd(page: Page):
        return result

    with pytest.raises(TypeError, match=r"odd gave a \w+; it may give dicts and page.follow"):
        list(spider.extract(page_of("")))


def test_what_follow_gives_may_be_yielded_and_is_no_item():
    spider = Spider("s")

    @spider.page("/**")
    def next_page(page: Page):
        yield page.follow("/next")

    page = page_of("")

    assert list(spider.extract(page)) == []
    assert list(page.followed) == ["http://site.test/next"]


@pytest.mark.parametrize(
    ("content", "content_type", "called"),
    [
        ("html", "text/html", True),
        ("html", "application/json", False),
        ("json", "application/ld+json", True),
        ("json", "text/html", False),
        ("*", "image/png", True),
    ],
)
def test_functions_are_for_html_unless_they_say_otherwise(content, content_type, called):
    spider = Spider("s")
    spider.page("/**", content=content)(lambda page: None)

    assert bool(spider.functions_for(page_of("{}", content_type=content_type))) is called


def test_only_what_was_given_is_an_option_of_the_crawl():
    assert Spider("s").options == {}
    spider = Spider("s", ["http://a.test/"], delay=0.5, per_host=2, max_pages=0, allow=["x"], obey_robots=False)

    assert spider.options == {
        "delay_seconds": 0.5,
        "per_host": 2,
        "max_pages": 0,
        "allow": ("x",),
        "obey_robots": False,
    }
    assert spider.seeds == ("http://a.test/",)


def test_a_single_seed_may_be_a_text():
    assert Spider("s", "http://a.test/").seeds == ("http://a.test/",)


def test_the_version_is_a_hash_of_the_source_unless_it_is_named():
    source = Path(__file__).read_bytes()

    assert Spider("s").version == hashlib.sha256(source).hexdigest()[:12]
    assert Spider("s", version="2.1").version == "2.1"
