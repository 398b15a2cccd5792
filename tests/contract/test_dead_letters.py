"""Dead letters: kept whole, found by what they are about, given again to their stage alone, or thrown away."""

from typing import ClassVar

import msgspec
import pytest

from contract import codec
from contract.bus import Consumer, publish
from contract.bus.dead_letters import DeadLetter, Filter, dead_letter, dead_letters, drop, retry
from contract.bus.janitor import tidy
from contract.envelope import Payload
from contract.topology import DISCOVER, PARSE, RECORD, SETTLE
from tests.builders import page_failed, page_fetched, page_parsed

BODY = b"\x1f\x8b the body"


async def found(bus, **which: str) -> list[DeadLetter]:
    return [letter async for letter in dead_letters(bus, Filter(**which))]


async def publish_with_body(bus, message) -> str:
    """Put a page on its stream as the fetcher does; the key of its body."""
    key = bus.keys.body(message.envelope.id)
    await bus.redis.set(key, BODY)
    await bus.redis.incrby(bus.keys.body_bytes, len(BODY))
    entry = {"e": codec.encode(message), "b": key, "s": len(BODY)}
    await bus.redis.xadd(bus.keys.stream("page.fetched"), entry)
    return key


async def bury_all(bus, stage=PARSE, reason: str = "it broke", **options) -> None:
    """Let a stage give up all that waits for it."""
    async with Consumer(bus, stage, **options) as consumer:
        for delivery in await consumer.take(100, block_ms=5):
            await consumer.bury(delivery, reason)


async def read_all(bus, stage) -> list:
    async with Consumer(bus, stage) as consumer:
        deliveries = await consumer.take(100, block_ms=5)
        for delivery in deliveries:
            await consumer.hand_over(delivery)
        return deliveries


async def body_bytes(bus) -> int:
    return int(await bus.redis.get(bus.keys.body_bytes) or 0)


async def test_a_dead_letter_keeps_its_bytes_and_a_body_that_outlives_the_stream(bus):
    message = page_fetched("http://a.test/1")
    key = await publish_with_body(bus, message)

    await bury_all(bus)
    for stage in (SETTLE, RECORD):
        await read_all(bus, stage)
    await tidy(bus)

    [letter] = await found(bus)
    assert (await bus.redis.exists(key), await body_bytes(bus)) == (0, 0)
    assert letter.raw == codec.encode(message)
    assert (letter.stream, letter.reason, letter.count, letter.said) == ("page.fetched", "it broke", 1, 0)
    assert await bus.redis.get(letter.body_key) == BODY
    assert (letter.about.url, letter.about.host) == ("http://a.test/1", "http://a.test")
    assert await dead_letter(bus, letter.name) == await dead_letter(bus, letter.id) == letter


async def test_a_retried_letter_goes_to_its_stage_alone_with_its_body_which_is_freed_behind_it(bus):
    await publish_with_body(bus, page_fetched())
    await bury_all(bus)
    for stage in (SETTLE, RECORD):
        await read_all(bus, stage)
    await tidy(bus)
    [letter] = await found(bus)

    assert await retry(bus, letter)
    assert not await retry(bus, letter)

    assert await found(bus) == []
    assert await body_bytes(bus) == len(BODY)
    assert [await read_all(bus, stage) for stage in (SETTLE, RECORD)] == [[], []]
    async with Consumer(bus, PARSE) as parser:
        [page] = await parser.take(10, block_ms=5)
        assert (page.stream, page.count, page.again) == ("again.scraper.parse", 1, "")
        assert await bus.redis.get(page.body_key) == BODY
        assert await parser.hand_over(page, page_parsed())
        assert not await parser.hand_over(page, page_parsed())
    await tidy(bus)
    assert (await bus.redis.exists(page.body_key), await body_bytes(bus)) == (0, 0)
    assert await bus.redis.xlen(bus.keys.again(PARSE.name)) == 0


async def test_a_letter_whose_burial_had_consequences_says_so_when_it_comes_again_and_keeps_saying_so(bus):
    await publish(bus, page_fetched())

    await bury_all(bus, when_buried=lambda delivery, reason: [page_parsed(error=reason)])
    [first] = await found(bus)
    await retry(bus, first)
    await bury_all(bus, reason="undone")
    [second] = await found(bus)
    await retry(bus, second)

    [page] = await read_all(bus, PARSE)
    assert page.again == first.id
    assert second.stream == "again.scraper.parse"


async def test_a_dropped_letter_is_gone_with_its_body(bus):
    await publish_with_body(bus, page_fetched())
    await bury_all(bus)
    [letter] = await found(bus)

    assert await drop(bus, letter)
    assert not await drop(bus, letter)

    assert await found(bus) == []
    assert not await bus.redis.exists(letter.body_key)


@pytest.mark.parametrize(
    ("which", "urls"),
    [
        ({}, ["http://a.test/1", "http://b.test/2", "http://a.test/3"]),
        ({"stage": "scraper.parse"}, ["http://a.test/1", "http://b.test/2"]),
        ({"reason": "DEEP"}, ["http://a.test/3"]),
        ({"host": "a.test"}, ["http://a.test/1", "http://a.test/3"]),
        ({"host": "http://b.test"}, ["http://b.test/2"]),
        ({"crawl": "c2"}, ["http://b.test/2"]),
        ({"crawl": "c2", "host": "a.test"}, []),
    ],
)
async def test_letters_are_found_by_stage_reason_host_and_crawl(bus, which, urls):
    await publish(bus, page_fetched("http://a.test/1"), page_fetched("http://b.test/2", crawl="c2"))
    await bury_all(bus)
    await publish(bus, page_parsed("http://a.test/3"))
    await bury_all(bus, DISCOVER, reason="too deep for us")

    assert sorted(letter.about.url for letter in await found(bus, **which)) == sorted(urls)


class PageSniffed(Payload, frozen=True):
    """A kind that only a later version knows."""

    TYPE: ClassVar[str] = "page.failed"
    VERSION: ClassVar[int] = 2
    url: str
    scent: str


async def test_a_message_of_an_unknown_version_is_understood_when_it_is_given_to_a_later_one(bus, monkeypatch):
    raw = (
        codec.encode(page_failed())
        .replace(b'"dataversion":1', b'"dataversion":2')
        .replace(b'"depth":0', b'"scent":"x"')
    )
    if b"dataversion" not in raw:
        raw = raw.replace(b'"data":{', b'"dataversion":2,"data":{')
    await bus.redis.xadd(bus.keys.stream("page.failed"), {"e": raw})
    assert await read_all(bus, SETTLE) == []
    [letter] = await found(bus)
    assert (letter.raw, letter.stage) == (raw, SETTLE.name)

    monkeypatch.setitem(codec.KINDS, "page.failed", PageSniffed)  # the later version is installed
    monkeypatch.setitem(codec._payloads, "page.failed", msgspec.json.Decoder(PageSniffed))
    await retry(bus, letter)

    [delivery] = await read_all(bus, SETTLE)
    assert delivery.payload.scent == "x"
    assert await found(bus) == []


@pytest.mark.parametrize("raw", [b"\xff\x00\x1b[31m", b"", b"[" * 5_000, b'{"data":7,"crawl":[],"subject":"http://["}'])
async def test_any_bytes_are_kept_and_listed(bus, raw):
    await bus.redis.xadd(bus.keys.stream("page.fetched"), {"e": raw})
    await read_all(bus, PARSE)

    [letter] = await found(bus)

    assert letter.raw == raw
    assert letter.about.crawl == letter.about.host == ""
    assert letter.reason.startswith("undecodable: ")
