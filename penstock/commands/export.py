"""`penstock export`: what was recorded, as files."""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import Engine

from contract import topology
from contract.errors import Refused
from contract.logs import visible
from contract.settings import load
from penstock.commands.recorded import recorded, recorded_crawl
from penstock.stopping import ended_by_sigterm
from storage.archive.segments.opening import open_store
from storage.exports.export import Format, What
from storage.exports.export import export as write
from storage.read_models import listings, queries


def export(
    what: What,
    given: dict[str, Any],
    *,
    crawl: str | None,
    all_crawls: bool = False,
    format: Format | None,
    output: str,
    types: list[str],
    all_versions: bool,
    version: str | None,
    flat: bool,
    use: str | None = None,
) -> None:
    """Write the rows; raises `Refused` for a crawl that is not there or a file that cannot be written."""
    settings = load(given)
    _check(what, types, all_versions=all_versions, version=version, flat=flat)
    if use and what not in ("pages", "items"):
        raise Refused(f"--for is for pages and items, not for {what}")
    archive = open_store(settings) if what in ("warc", "wacz") else None

    def write_from(engine: Engine, id: str | None) -> None:
        choice: dict[str, Any] = {"types": types, "all_versions": all_versions, "version": version, "flat": flat}
        if use:
            choice["use"] = use
            _say_refused(listings.refused(engine, id, use), use)
        with ended_by_sigterm():
            write(engine, what, crawl=id, format=format, to=output, archive=archive, **choice)

    if all_crawls and crawl is not None:
        raise Refused("--crawl names one crawl and --all-crawls asks for all; give one of them")
    if crawl is not None:
        with recorded_crawl(settings, crawl) as (engine, row):
            write_from(engine, row.id)
    else:
        with recorded(settings) as engine:
            write_from(engine, None if all_crawls else _newest(engine))


def _say_refused(number: int, use: str) -> None:
    pages = "1 page" if number == 1 else f"{number:,} pages"
    print(
        f"penstock: left out {pages} that the page itself or its host's robots.txt refuses for {use}", file=sys.stderr
    )


def _newest(engine: Engine) -> str | None:
    """The id of the newest crawl, which is said where there are others; None where no crawl is known."""
    rows = queries.crawls(engine)
    if len(rows) > 1:
        which = f"{visible(rows[0].name)} ({rows[0].id}), the newest crawl here"
        print(f"penstock: of {which}; --crawl names another one, --all-crawls takes all", file=sys.stderr)
    return rows[0].id if rows else None


def _check(what: What, types: list[str], *, all_versions: bool, version: str | None, flat: bool) -> None:
    if types and what not in ("events", "items"):
        raise Refused(f"--type is for items and events; {what} have none")
    if what == "events" and (unknown := [each for each in types if each not in topology.EVENTS]):
        raise Refused(f"no event type {unknown[0]!r}; there are: {', '.join(topology.EVENTS)}")
    if all_versions and what != "items":
        raise Refused(f"--all-versions is for items, not for {what}")
    if version is not None and what != "items":
        raise Refused(f"--version is for items, not for {what}")
    if version is not None and all_versions:
        raise Refused("--version names one version and --all-versions asks for all; give one of them")
    if flat and what != "items":
        raise Refused(f"--flat is for items, not for {what}")
