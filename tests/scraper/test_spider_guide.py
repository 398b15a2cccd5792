"""The examples of the spider guide do what they say."""

import re
from pathlib import Path

import pytest

from scraper import Page, Spider

GUIDE = (Path(__file__).parents[2] / "docs" / "spiders.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def ran(code: str) -> dict[str, object]:
    """The names of an example after it ran, its tests too; it may take for granted what the first one imports."""
    names: dict[str, object] = {"Page": Page, "Spider": Spider, "__name__": "guide"}
    exec(compile(code, "spiders.md", "exec"), names)
    for name, value in list(names.items()):
        if name.startswith("test_"):
            value()
    return names


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs_as_it_stands(number: int) -> None:
    ran(EXAMPLES[number])


def test_the_first_example_extracts_a_book() -> None:
    page = Page.from_text(
        '<h1>Sharp  Objects</h1><p class="price_color">£47.82</p><p class="availability">In stock (20)</p>',
        url="https://books.toscrape.com/catalogue/sharp-objects_997/index.html",
    )

    items = list(ran(EXAMPLES[0])["spider"].extract(page))

    assert items == [("book", {"title": "Sharp Objects", "price": "£47.82", "in_stock": True})]


def test_the_table_of_patterns_is_true() -> None:
    rows = re.findall(r"^\| `(/\S*|http\S*)` \| [^|]* \| ([^|]*) \| ([^|]*) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 4
    for pattern, fits, fits_not in rows:
        assert all(meets(pattern, url) for url in re.findall("`(.*?)`", fits))
        assert not any(meets(pattern, url) for url in re.findall("`(.*?)`", fits_not))


def meets(pattern: str, url: str) -> bool:
    spider = Spider("s")
    spider.page(pattern)(lambda page: None)
    page = Page.from_text("", url=url if url.startswith("http") else f"http://example.com{url}")
    return bool(spider.functions_for(page))


def test_every_option_of_a_spider_is_in_the_guide() -> None:
    options = Spider.__init__.__kwdefaults__
    assert [name for name in options if f"`{name}`" not in GUIDE] == []
