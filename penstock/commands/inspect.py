"""`penstock inspect`: one page, fetched and parsed as a crawl would, shown as a person would like to read it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from events.logs import visible
from events.pages import Item, PageFetched
from events.settings import Settings, load
from penstock.plan import make_plan
from penstock.seeds import check_reachable, seed_urls
from scraper.inspect_page import Once, fetch_once, parse_once
from scraper.parsers.frames import Result
from scraper.spiders import load_spider
from scraper.warc import read_record

FETCHED, NOT_FETCHED = 0, 1
#: Links shown; the rest is counted.
MOST_LINKS = 25
#: Characters of a value of an item shown on one line.
MOST_CHARACTERS = 300


def inspect(url: str, given: dict[str, Any], *, spider: str | None) -> int:
    """Show the page; returns 0 if it was fetched, else 1."""
    settings = load({**given, "spider": spider})
    loaded = load_spider(settings.spider) if settings.spider else None
    urls = seed_urls([url], file=None)
    spec = make_plan(settings, urls, spider=loaded).spec
    return asyncio.run(_inspect(urls[0], settings, spec))


async def _inspect(url: str, settings: Settings, spec: Any) -> int:
    await check_reachable([url], allow_private=settings.allow_private)
    once = await fetch_once(url, settings, spec=spec)
    console = Console(highlight=False)
    _show_answer(console, once)
    if not isinstance(once.payload, PageFetched):
        return NOT_FETCHED
    if once.payload.location:
        _line(console, "leads to", once.payload.location)
        return FETCHED
    result = await parse_once(read_record(once.record), spider=spec.spider, max_links=spec.max_links_per_page)
    _show_parsed(console, result)
    return FETCHED


def _show_answer(console: Console, once: Once) -> None:
    page = once.payload
    _line(console, "url", page.url)
    if once.robots:
        _line(console, "robots.txt", f"{once.robots.record.verdict} {once.robots.record.reason}".strip())
    if isinstance(page, PageFetched):
        size = f"{page.body.size:,} bytes, {page.body.wire:,} over the network, {page.body.stored:,} kept"
        _line(console, "answer", f"{page.status}  {page.content_type}  {size}")
        _line(console, "took", f"{page.elapsed_ms} ms{'  flags: ' + ', '.join(page.flags) if page.flags else ''}")
    else:
        _line(console, "outcome", f"{page.TYPE.partition('.')[2]}: {getattr(page, 'reason', '')}")
        _line(console, "because", str(getattr(page, "detail", "")) or "-")


def _show_parsed(console: Console, result: Result) -> None:
    _line(console, "title", result.title or "-")
    if result.error:
        _line(console, "error", f"{result.error}: {result.detail}")
    _line(console, "parsed by", f"{result.spider} {result.spider_version} in {result.elapsed_ms:.1f} ms")
    for number, item in enumerate(result.decoded_items(), 1):
        _show_item(console, number, item)
    _line(console, "links", f"{result.links_found:,} found")
    for link in result.links[:MOST_LINKS]:
        console.print(Text(f"  {visible(link)}"), soft_wrap=True)
    if len(result.links) > MOST_LINKS:
        console.print(Text(f"  … and {len(result.links) - MOST_LINKS:,} more", style="dim"))


def _show_item(console: Console, number: int, item: Item) -> None:
    console.print(Text.assemble((f"item {number}", "bold"), f"  {visible(item.type)}"))
    for name, value in item.data.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        short = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} … ({len(text):,} characters)"
        console.print(Text.assemble((f"  {visible(str(name))}: ", "cyan"), visible(short)), soft_wrap=True)


def _line(console: Console, name: str, value: str) -> None:
    console.print(Text.assemble((f"{name:<11}", "bold"), visible(value)), soft_wrap=True)
