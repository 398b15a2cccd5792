"""Whether a spider's functions are for the pages that a crawl has: a pattern with a slip in it gives nothing, silently.

Takes a spider and pages, gives the patterns if not one function is for any of them. Pure; SQL is read by who asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scraper import Page, Spider


def patterns_that_miss(spider: Spider, rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The patterns of a spider none of whose functions is for any of these pages (rows of `export pages`)."""
    if not spider.patterns:
        return ()
    answered = (row for row in rows if row["status"] is not None)
    return () if any(_is_for(spider, row) for row in answered) else spider.patterns


def _is_for(spider: Spider, row: Mapping[str, Any]) -> bool:
    page = Page.from_text("", url=row["url"], content_type=row["content_type"] or "", status=row["status"])
    return bool(spider.functions_for(page))


def sentence(patterns: tuple[str, ...], *, pages: str) -> str:
    """The sentence for a person; `pages` is what was looked at."""
    return f"no function of the spider is for {pages}: its patterns are {', '.join(patterns)}"
