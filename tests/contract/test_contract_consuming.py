"""What docs/contract/README.md says to other programs that read the streams is so."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from contract import codec, topology
from contract.bus import Bus, publish
from contract.bus.janitor import tidy
from contract.topology import groups_of
from tests.builders import page_failed

README = (Path(__file__).resolve().parents[2] / "docs" / "contract" / "README.md").read_text("utf-8")
STREAM = "page.failed"
OUTSIDER = "another.program"
NOTHING_PENDING = {"pending": 0, "min": None, "max": None, "consumers": []}


async def publish_and_let_everybody_finish(bus: Bus, *urls: str) -> None:
    """Put a message for each URL on the stream, and ack it for every group of ours."""
    await publish(bus, *(page_failed(url) for url in urls))
    for group in groups_of(STREAM):
        await read_and_ack(bus, group)


async def read_and_ack(bus: Bus, group: str) -> int:
    """Read all that is there for this group, and ack it; returns the number of entries."""
    key = bus.keys.stream(STREAM)
    answer = await bus.redis.xreadgroup(group, "one", {key: ">"}, count=100)
    ids = [id for entries in dict(answer or {}).values() for id, _ in entries]
    if ids:
        await bus.redis.xack(key, group, *ids)
    return len(ids)


async def test_a_group_of_another_program_keeps_entries_until_it_has_acked_them(bus):
    await bus.redis.xgroup_create(bus.keys.stream(STREAM), OUTSIDER, id="0")
    await publish_and_let_everybody_finish(bus, "http://a.test/1", "http://a.test/2")

    assert await tidy(bus) == 0
    assert await read_and_ack(bus, OUTSIDER) == 2
    assert await tidy(bus) == 2


async def test_a_group_that_was_destroyed_keeps_nothing(bus):
    await bus.redis.xgroup_create(bus.keys.stream(STREAM), OUTSIDER, id="0")
    await publish_and_let_everybody_finish(bus, "http://a.test/1")
    await bus.redis.xgroup_destroy(bus.keys.stream(STREAM), OUTSIDER)

    assert await tidy(bus) == 1


async def test_a_reader_without_a_group_misses_what_was_trimmed_before_it_looked(bus):
    key = bus.keys.stream(STREAM)
    await publish_and_let_everybody_finish(bus, "http://a.test/1")
    await tidy(bus)
    await publish(bus, page_failed("http://a.test/2"))

    [entries] = dict(await bus.redis.xread({key: "0"})).values()
    [(_, fields)] = entries
    assert codec.decode(fields[b"e"]).payload.url == "http://a.test/2"


async def test_a_group_is_gone_with_the_server_s_memory_and_says_so(bus):
    key = bus.keys.stream(STREAM)
    await bus.redis.xgroup_create(key, OUTSIDER, id="0")
    await bus.redis.flushall()

    with pytest.raises(ResponseError, match="NOGROUP"):
        await bus.redis.xreadgroup(OUTSIDER, "one", {key: ">"})


def test_the_readme_names_only_streams_that_there_are():
    spelled = set(re.findall(r"penstock:\{0\}:([a-z.]+)", README))

    assert spelled
    assert spelled <= set(topology.STREAMS)


async def test_the_program_in_the_readme_prints_each_failure_once_and_finishes_with_it(bus, redis_url):
    [program] = re.findall(r"```python\n(.*?)```", README, re.S)

    with program_running(program, redis_url) as process:
        await publish(
            bus, page_failed("http://a.test/1"), page_failed("http://a.test/1"), page_failed("http://a.test/2")
        )
        said = [await asyncio.to_thread(process.stdout.readline) for _ in range(2)]
        while await bus.redis.xpending(bus.keys.stream(STREAM), "failure-printer") != NOTHING_PENDING:
            await asyncio.sleep(0.01)

    assert said == ["http://a.test/1 timeout\n", "http://a.test/2 timeout\n"]


@contextlib.contextmanager
def program_running(text: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A program in a process of its own, with its server's address replaced; killed at the end."""
    here = text.replace("redis://127.0.0.1:6379/0", url)
    process = subprocess.Popen([sys.executable, "-u", "-c", here], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
