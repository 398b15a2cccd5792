"""GET /hosts: every host that was asked for something, and what politeness knows of it now."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from penstock.api.cursors import DEFAULT_LIMIT, Cursor, Limit, cursor_of, place_of
from penstock.api.house import TheHouse
from penstock.api.hub.hosts import all_hosts
from penstock.api.models import Hosts
from penstock.api.problems import documented
from storage.read_models import host_totals

router = APIRouter(tags=["results"])


@router.get("/hosts", responses=documented(422))
async def list_hosts(house: TheHouse, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Hosts:
    """Hosts by name, with their totals over all crawls."""
    after = place_of(cursor, str) or ""
    rows = await asyncio.to_thread(host_totals.over_all, house.engine, after=after, limit=limit + 1)
    hosts = await all_hosts(house, rows[:limit])
    return Hosts(hosts=hosts, next=cursor_of(rows[limit - 1].host) if len(rows) > limit else None)
