"""What a scheduler knows of crawls, on a server that comes and goes."""

import asyncio
from pathlib import Path

import msgspec

from contract.bus import Bus
from contract.crawls import CrawlSpec
from scheduler.crawls import Crawls
from tests.contract.servers import Server


async def test_what_is_asked_while_no_connection_can_be_made_is_answered_when_the_server_is_back(
    tmp_path: Path, caplog
):
    server = Server(tmp_path)
    await server.start()
    async with Bus.open(server.url) as bus:
        spec = CrawlSpec(name="books")
        await bus.redis.hset(bus.keys.crawl("c1"), "spec", msgspec.json.encode(spec))
        server.kill()
        asking = asyncio.create_task(Crawls(bus).specs(["c1"]))
        while caplog.text.count("waiting for Redis") < 2:
            await asyncio.sleep(0.005)
        await server.start()
        assert await asking == {"c1": spec}
    server.kill()
