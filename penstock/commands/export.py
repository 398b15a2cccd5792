"""`penstock export`: what was recorded, as files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from contract import topology
from contract.errors import Refused
from contract.settings import load
from penstock.commands.recorded import recorded, recorded_crawl
from penstock.stopping import ended_by_sigterm
from storage.archive.segments.opening import open_store
from storage.exports.export import Format, What
from storage.exports.export import export as write


def export(
    what: What,
    given: dict[str, Any],
    *,
    crawl: str | None,
    format: Format | None,
    output: str,
    types: list[str],
    all_versions: bool,
    version: str | None,
    flat: bool,
) -> None:
    """Write the rows; raises `Refused` for a crawl that is not there or a file that cannot be written."""
    settings = load(given)
    _check(what, types, all_versions=all_versions, version=version, flat=flat)
    archive = open_store(settings) if what == "warc" else None

    def write_from(engine: Engine, id: str | None) -> None:
        choice: dict[str, Any] = {"types": types, "all_versions": all_versions, "version": version, "flat": flat}
        with ended_by_sigterm():
            write(engine, what, crawl=id, format=format, to=output, archive=archive, **choice)

    if crawl is None:
        with recorded(settings) as engine:
            write_from(engine, None)
    else:
        with recorded_crawl(settings, crawl) as (engine, row):
            write_from(engine, row.id)


def _check(what: What, types: list[str], *, all_versions: bool, version: str | None, flat: bool) -> None:
    if types and what != "events":
        raise Refused(f"--type is for events; {what} have none")
    if unknown := [each for each in types if each not in topology.EVENTS]:
        raise Refused(f"no event type {unknown[0]!r}; there are: {', '.join(topology.EVENTS)}")
    if all_versions and what != "items":
        raise Refused(f"--all-versions is for items, not for {what}")
    if version is not None and what != "items":
        raise Refused(f"--version is for items, not for {what}")
    if version is not None and all_versions:
        raise Refused("--version names one version and --all-versions asks for all; give one of them")
    if flat and what != "items":
        raise Refused(f"--flat is for items, not for {what}")
