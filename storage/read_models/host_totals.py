"""What was asked of hosts, and what came of it: of one crawl, or over all."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, func, select

from storage.sql import tables
from storage.sql.tables import digest
from storage.store.event_store import chunks

_SPACE = " "


class HostTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Requests to a host, errors among them, bytes over the network; what its robots.txt came to last."""

    host: str
    requests: int = 0
    errors: int = 0
    bytes: int = 0
    robots_verdict: str | None = None
    crawl_delay_ms: int | None = None


def of_hosts(engine: Engine, crawl: str, hosts: Sequence[str]) -> dict[str, HostTotals]:
    """The totals of these hosts in a crawl, as far as they are known."""
    keys = [digest(crawl, host) for host in hosts]
    query = select(tables.hosts)
    return {
        each.host: each for some in chunks(keys) for each in _rows(engine, query.where(tables.hosts.c.key.in_(some)))
    }


def busiest(engine: Engine, crawl: str, *, limit: int) -> list[HostTotals]:
    """The hosts of a crawl that most was asked of, first those."""
    host = tables.hosts.c
    query = select(tables.hosts).where(host.crawl == crawl).order_by(host.requests.desc(), host.host)
    return _rows(engine, query.limit(limit))


def over_all(engine: Engine, *, after: str = "", limit: int) -> list[HostTotals]:
    """Hosts behind this one, by name, with their totals over all crawls."""
    host = tables.hosts.c
    verdict = func.max(host.robots_at + _SPACE + host.robots_verdict).label("verdict")
    query = select(
        host.host,
        *(func.sum(column).label(column.name) for column in (host.requests, host.errors, host.bytes)),
        *(verdict, func.max(host.crawl_delay_ms).label("crawl_delay_ms")),
    ).where(host.host > after)
    with engine.connect() as connection:
        rows = connection.execute(query.group_by(host.host).order_by(host.host).limit(limit)).mappings()
        return [_total({**row, "robots_verdict": (row["verdict"] or "").partition(_SPACE)[2] or None}) for row in rows]


def _rows(engine: Engine, query: Select[Any]) -> list[HostTotals]:
    with engine.connect() as connection:
        return [_total(dict(row)) for row in connection.execute(query).mappings()]


def _total(row: Mapping[str, Any]) -> HostTotals:
    totals = {name: row[name] for name in HostTotals.__struct_fields__}
    return HostTotals(**totals | {name: int(row[name]) for name in ("requests", "errors", "bytes")})
