"""A spider for https://books.toscrape.com/, a site made for practising.

penstock crawl --spider examples/books.py --max-pages 200
"""

from collections.abc import Iterator
from typing import Any

from penstock import Page, Spider

spider = Spider("books", seeds=["https://books.toscrape.com/"], delay=0.5)


@spider.page("/catalogue/*/index.html")
def book(page: Page) -> Iterator[dict[str, Any]]:
    """One book a page."""
    yield {"title": page.text("h1"), "price": page.text(".price_color")}
