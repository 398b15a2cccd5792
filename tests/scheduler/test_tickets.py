"""Tickets: one waits while there is work, also on a server that was emptied meanwhile."""

import asyncio
import json

from contract.bus.groups import ensure_groups
from contract.settings import Settings
from contract.topology import FETCH
from scheduler.tickets import offer_tickets


async def ticket(bus) -> bytes:
    """Wait for a ticket, and take it."""
    while not (found := await bus.redis.lpop(f"{bus.keys.tickets_prefix}{FETCH.name}")):
        await asyncio.sleep(0.01)
    return found


async def test_a_ticket_waits_while_there_is_work_and_another_after_it_was_taken(bus):
    await _with_tickets(bus, lambda: asyncio.sleep(0))


async def test_a_server_that_was_emptied_gets_tickets_too(bus):
    async def empty() -> None:
        await bus.redis.flushall()
        await ensure_groups(bus)
        await bus.redis.set(bus.keys.in_flight, 1)

    await _with_tickets(bus, empty)


async def test_a_ticket_is_good_whatever_the_clocks_of_machines_show(bus):
    """Celery's workers hold the moment at which a message expires against a clock of their own."""
    taken = []

    async def take() -> None:
        taken.append(json.loads(await ticket(bus)))

    await _with_tickets(bus, take)

    assert [one["headers"]["expires"] for one in taken] == [None]


async def _with_tickets(bus, meanwhile) -> None:
    stop = asyncio.Event()
    await bus.redis.set(bus.keys.in_flight, 1)
    offering = asyncio.create_task(offer_tickets(bus, Settings(redis_url=bus.url), stop))
    try:
        async with asyncio.timeout(8):
            await ticket(bus)
            await meanwhile()
            await ticket(bus)
    finally:
        stop.set()
        await offering
