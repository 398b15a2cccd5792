"""`penstock explain`: the life of one URL in one crawl, in words; and where it has none, why."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text
from sqlalchemy import Engine

from contract.logs import visible
from contract.settings import Settings, load
from penstock.commands.explain_words import hint_words, step_words
from penstock.commands.recorded import chosen, recorded_crawl
from penstock.explaining import Explanation, explained
from penstock.seeds import seed_urls
from storage.read_models import queries
from storage.store import hearsay

#: The exit statuses for a URL of which something is recorded, and for another.
KNOWN, UNKNOWN = 0, 1


def explain(text: str, given: dict[str, Any], *, crawl: str | None, json: bool) -> int:
    """Print what is known of a URL; returns 1 if that is nothing, not even a link to it.

    Raises `Refused` for what is no URL, or a crawl that is not there.
    """
    settings = load(given)
    [url] = seed_urls([text], file=None)
    with recorded_crawl(settings, crawl) as (engine, row):
        explanation = explained(engine, url, row if crawl else _best_crawl(engine, url, row, settings))
    if json:
        print(msgspec.json.encode(explanation).decode())
    else:
        _show(Console(highlight=False), explanation)
    is_linked = any(hint["hint"] in ("linked", "unfollowed") for hint in explanation.hints)
    return KNOWN if explanation.steps or is_linked else UNKNOWN


def _best_crawl(engine: Engine, url: str, latest: queries.CrawlRow, settings: Settings) -> queries.CrawlRow:
    """Of all crawls the latest one that knows the URL, or else the latest."""
    ids = hearsay.crawls_with(engine, url)
    return chosen(engine, ids[0], settings) if ids else latest


def _show(console: Console, explanation: Explanation) -> None:
    console.print(Text(visible(explanation.url), style="bold"), soft_wrap=True)
    console.print(Text(visible(f"in crawl {explanation.crawl} ({explanation.name})")), soft_wrap=True)
    for step in explanation.steps:
        for number, line in enumerate(step_words(step)):
            when = step.at[:23].replace("T", " ") if number == 0 else ""
            console.print(Text.assemble((f"{when:<25}", "dim"), visible(line)), soft_wrap=True)
    for hint in explanation.hints:
        console.print(Text(visible(hint_words(hint))), soft_wrap=True)
