"""Tickets: one waits while there is work, also on a server that was emptied meanwhile."""

import asyncio

from contract.bus.groups import ensure_groups
from contract.settings import Settings
from contract.topology import FETCH
from scheduler.tickets import offer_tickets


async def ticket(bus) -> None:
    """Wait for a ticket, and take it."""
    while not await bus.redis.lpop(f"{bus.keys.tickets_prefix}{FETCH.name}"):
        await asyncio.sleep(0.01)


async def test_a_ticket_waits_while_there_is_work_and_another_after_it_was_taken(bus):
    await _with_tickets(bus, lambda: asyncio.sleep(0))


async def test_a_server_that_was_emptied_gets_tickets_too(bus):
    async def empty() -> None:
        await bus.redis.flushall()
        await ensure_groups(bus)
        await bus.redis.set(bus.keys.in_flight, 1)

    await _with_tickets(bus, empty)


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
