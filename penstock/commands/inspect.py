"""`penstock inspect`: one page, fetched and parsed as a crawl would, shown as a person would like to read it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from contract.crawls import CrawlSpec
from contract.pages import PageFetched
from contract.settings import Settings, load
from penstock.fitting import patterns_that_miss
from penstock.plan import make_plan, spider_args
from penstock.seeds import check_reachable, seed_urls
from penstock.view import inspected
from scraper import Spider
from scraper.inspect_page import fetch_once, parse_once
from scraper.spiders import load_spider
from scraper.warc import read_record

READ, NOT_READ = 0, 1


def inspect(url: str, given: dict[str, Any], *, spider: str | None, args: Sequence[str] = ()) -> int:
    """Show the page; returns 0 if it was fetched and could be read, else 1."""
    settings = load({**given, "spider": spider})
    said = spider_args(args)
    loaded = load_spider(settings.spider, said) if settings.spider else None
    urls = seed_urls([url], file=None)
    spec = make_plan(settings, urls, spider=loaded, args=said).spec
    return asyncio.run(_inspect(urls[0], settings, spec, loaded))


async def _inspect(url: str, settings: Settings, spec: CrawlSpec, spider: Spider | None) -> int:
    await check_reachable([url], allow_private=settings.allow_private)
    once = await fetch_once(url, settings, spec=spec)
    console = Console(highlight=False)
    _print(console, inspected.answer(once))
    page = once.payload
    if not isinstance(page, PageFetched):
        return NOT_READ
    if page.location:
        return READ
    result = await parse_once(read_record(once.record), spec=spec)
    row = {"url": page.url, "status": page.status, "content_type": page.content_type}
    _print(console, inspected.parsed(result, missed=patterns_that_miss(spider, [row]) if spider else ()))
    return NOT_READ if result.error else READ


def _print(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True)
