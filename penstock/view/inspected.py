"""One page as `penstock inspect` shows it: what the host answered, and what a parser made of it, line by line.

Pure: takes what was fetched and parsed, gives lines. Whatever a page says is shown on its line, with control characters
spelled out; what is long is cut, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from rich.text import Text

from contract.logs import visible
from contract.pages import Item, PageExcluded, PageFailed, PageFetched
from penstock.fitting import sentence
from scraper.inspect_page import Once
from scraper.parsers.frames import Result

#: Links shown; the rest is counted.
MOST_LINKS = 25
#: Characters of one value of an item that are shown.
MOST_CHARACTERS = 300
_NAME_WIDTH = 12
_VERDICTS = {
    "allow": "there is none for us",
    "deny": "could not be had, so nothing may be fetched",
    "retry": "could not be had for now",
}


def answer(once: Once) -> Iterator[Text]:
    """What the host answered, or why it was not asked."""
    page = once.payload
    yield _line("url", page.url)
    yield _line("robots.txt", _robots(once))
    if isinstance(page, PageFetched):
        yield from _fetched(page, once.answer.reason if once.answer else "")
    elif isinstance(page, PageFailed):
        yield _line("failed", _joined(page.reason, page.detail), style="red")
        if page.retryable:
            yield _line("", "a crawl would try again later", style="dim")
    elif isinstance(page, PageExcluded):
        yield _line("excluded", _joined(page.reason, page.detail), style="yellow")


def _robots(once: Once) -> str:
    if once.robots is None:
        return "not looked at"
    record = once.robots.record
    if record.verdict == "rules":
        return "disallows this page" if isinstance(once.payload, PageExcluded) else "allows this page"
    return f"{_VERDICTS[record.verdict]} ({record.reason})"


def _joined(word: str, sentence: str) -> str:
    return f"{word}: {sentence}" if sentence else word


def _fetched(page: PageFetched, reason: str) -> Iterator[Text]:
    yield _line("answer", f"{page.status} {reason}".strip(), style="green")
    yield _line("type", page.content_type or "the host does not say")
    wire = f", {page.body.wire:,} over the network" if page.body.wire != page.body.size else ""
    yield _line("size", f"{page.body.size:,} bytes{wire}, {page.body.stored:,} in the archive")
    yield _line("time", f"{page.elapsed_ms:,} ms")
    if page.flags:
        yield _line("flags", ", ".join(page.flags), style="yellow")
    if page.location:
        yield _line("leads to", page.location)


def parsed(result: Result, *, missed: tuple[str, ...] = ()) -> Iterator[Text]:
    """What a parser made of a page: title, items, links; `missed` are patterns of which not one fits."""
    yield _line("title", result.title or "none")
    if source := result.encoding_source:
        said = {"nothing": "none is declared", "detector": "a guess"}.get(source, source)
        yield _line("encoding", f"{result.encoding} ({said})")
    spider = f"{result.spider} {result.spider_version}".strip()
    yield _line("parsed by", f"{spider} in {result.elapsed_ms:,.1f} ms")
    if result.error:
        yield _line("error", _joined(result.error, result.detail), style="red")
        yield _line("", "a page has all of its items or none: those that came before are dropped", style="dim")
    if missed:
        yield _line("no function", sentence(missed, pages="this page"), style="yellow")
    items = result.decoded_items()
    yield _line("items", f"{len(items):,}")
    for item in items:
        yield from _item(item)
    yield from _links(result)


def _item(item: Item) -> Iterator[Text]:
    yield Text(f"  {visible(item.type)}", style="bold cyan")
    for name, value in item.data.items():
        if isinstance(value, dict) and value:
            yield _field(name, "")
            yield from (_field(f"  {key}", _words(inner)) for key, inner in value.items())
        elif not _is_empty(value):
            yield _field(name, _words(value))
    if empty := [visible(name) for name, value in item.data.items() if _is_empty(value)]:
        yield Text(f"    nothing in {', '.join(empty)}", style="dim")


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _words(value: Any) -> str:
    """A value in one line: text with its white space collapsed, a list of texts with dots between, else JSON."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = " · ".join(value)
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} … ({len(text):,} characters)"


def _field(name: str, text: str) -> Text:
    return Text.assemble((f"    {visible(str(name))}:", "cyan"), f" {visible(text)}" if text else "")


def _links(result: Result) -> Iterator[Text]:
    left_out = f", {result.links_left_out:,} left out" if result.links_left_out else ""
    yield _line("links", f"{result.links_found:,}{left_out}")
    if result.refresh:
        yield _line("refreshes to", result.refresh)
    yield from (Text(f"  {visible(link)}") for link in result.links[:MOST_LINKS])
    if len(result.links) > MOST_LINKS:
        yield Text(f"  … and {len(result.links) - MOST_LINKS:,} more", style="dim")


def _line(name: str, value: str, *, style: str = "") -> Text:
    return Text.assemble((f"{name:<{_NAME_WIDTH}} ", "bold"), (visible(value), style))
