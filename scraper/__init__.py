"""Gets pages, and reads them: the stages `fetch` (under Celery) and `parse`, and what users write spiders with.

from scraper import Page, Spider

- `fetch` works with `fetchers` (one job and its outcome), `http` (the one way to the network) and `robots`;
- `parse` works with `parsers` (processes under limits), and these with `html`, `page` and `spiders`;
- a page at rest between the two is a record of `warc`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scraper.page import Page
    from scraper.spider import Spider

__all__ = ["Page", "Spider"]


def __getattr__(name: str) -> Any:
    # Late, so that a fetch worker does not load the HTML parser.
    if name == "Page":
        from scraper.page import Page

        return Page
    if name == "Spider":
        from scraper.spider import Spider

        return Spider
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
