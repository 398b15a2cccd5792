"""What is known of one URL in one crawl, as facts; and where nothing is, why that may be.

Takes an engine, a canonical URL and a crawl's row; gives an `Explanation`, as facts; others put it in words.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Engine

from contract.crawls import CrawlSpec
from scheduler.scope import Scope
from scheduler.urls import CanonicalURL, canonical, same_url
from storage.read_models import queries
from storage.store import hearsay
from storage.store.history import Step, history, spec_of


class Explanation(msgspec.Struct, frozen=True):
    """All that is known: the steps in order, or, where there are none, hints: what is the case, and facts of it.

    `url` is in the spelling that the crawl met first, where it met one.
    """

    url: str
    crawl: str
    name: str
    steps: list[Step]
    hints: list[dict[str, Any]]


def explained(engine: Engine, url: str, row: queries.CrawlRow) -> Explanation:
    """The life of a URL in a crawl, or hints where it has none."""
    steps = history(engine, row.id, url)
    if not steps and (met := _spelling_met(engine, url, row)):
        url, steps = met, history(engine, row.id, met)
    hints = [] if steps else _hints(engine, url, row)
    return Explanation(url=url, crawl=row.id, name=row.name, steps=steps, hints=hints)


def _spelling_met(engine: Engine, url: str, row: queries.CrawlRow) -> str | None:
    """The spelling of this URL that the crawl has a page of, by its rule which spellings are one URL."""
    place, spec = canonical(url), spec_of(engine, row.id)
    if place is None or spec is None or spec.identity < 2:
        return None
    urls = hearsay.urls_at(engine, row.id, place.host)
    return next((each for each in urls if same_url(each, place, spec.identity)), None)


def _hints(engine: Engine, url: str, row: queries.CrawlRow) -> list[dict[str, Any]]:
    """Why a URL may be unknown, the likeliest reason first."""
    hints: list[dict[str, Any]] = []
    if near := hearsay.known(engine, row.id, _other_spellings(url)):
        hints.append({"hint": "spelling", "urls": near})
    if link := hearsay.linked_from(engine, row.id, url):
        facts = {name: value for name, value in msgspec.structs.asdict(link).items() if name != "is_unfollowed"}
        hints.append({"hint": "unfollowed" if link.is_unfollowed else "linked", **facts, "state": row.state})
    elif reason := _reason_against(url, row, spec_of(engine, row.id)):
        hints.append({"hint": "out_of_bounds", "reason": reason})
    if others := hearsay.crawls_with(engine, url):
        hints.append({"hint": "other_crawl", "crawl": others[0]})
    if not link:
        unread = msgspec.structs.asdict(hearsay.unread(engine, row.id))
        hints += [{"hint": "unread", **unread}] if any(unread.values()) else []
        hints.append({"hint": "not_linked", "state": row.state})
    return hints


def _other_spellings(url: str) -> list[str]:
    """What people mix up: http and https, with and without www., with and without a slash at the end."""
    place = canonical(url)
    assert place is not None, "it was canonical before"
    bare, _, query = url.partition("?")
    query = f"?{query}" if query else ""
    paths = {bare + query, bare.rstrip("/") + query, bare.rstrip("/") + "/" + query, bare}
    hosts = {place.hostname, place.hostname.removeprefix("www."), "www." + place.hostname.removeprefix("www.")}
    found = {
        f"{scheme}://" + path.partition("://")[2].replace(place.hostname, host, 1)
        for path in paths
        for scheme in ("https", "http")
        for host in hosts
    }
    return sorted(each.href for text in found if (each := canonical(text)) and each.href != url)


def _reason_against(url: str, row: queries.CrawlRow, spec: CrawlSpec | None) -> str | None:
    """What the crawl's scope says of the URL, one link away from a seed."""
    place = canonical(url)
    if spec is None or place is None:
        return None
    seeds: list[CanonicalURL] = [seed for text in row.seeds if (seed := canonical(text))]
    bare = Scope(spec)
    return Scope(spec, {bare.place(seed) for seed in seeds}).reason_against(place, depth=1)
