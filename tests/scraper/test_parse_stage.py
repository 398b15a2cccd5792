"""The stage as a whole: real server, real children, pages in, events out."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from contract import codec
from contract.bus import Bus, Consumer
from contract.bus.dead_letters import dead_letters, retry
from contract.settings import Settings
from contract.topology import DISCOVER, PARSE
from scraper import parse
from scraper.parsers.parsed import event_id
from tests.scraper.pages import CRAWL, fetched, make_crawl, parsed_pages


@contextlib.asynccontextmanager
async def parser_on(bus: Bus, parsers: int = 1) -> AsyncIterator[Consumer]:
    """The stage at work; gives a reader of its events."""
    stop = asyncio.Event()
    running = asyncio.create_task(parse.run(Settings(redis_url=bus.url, parsers=parsers), stop))
    async with Consumer(bus, DISCOVER) as reader:
        yield reader
    stop.set()
    await asyncio.wait_for(running, 10)


async def pending(bus: Bus) -> int:
    return int((await bus.redis.xpending(bus.keys.stream("page.fetched"), PARSE.name))["pending"])


@pytest.fixture
async def reader(bus: Bus) -> AsyncIterator[Consumer]:
    await make_crawl(bus)
    async with parser_on(bus) as found:
        yield found
    assert await pending(bus) == 0


async def test_a_page_becomes_its_title_links_and_items(bus: Bus, reader: Consumer):
    [url] = await fetched(bus, "<title>One</title><p>Hello <a href='two#x'>two</a> <a href='/three'>three</a>")

    page = (await parsed_pages(reader, 1))[url]

    assert page.title == "One"
    assert [link.url for link in page.links] == [f"http://site.test/{CRAWL}/0/two", "http://site.test/three"]
    assert page.links_found == 2
    [item] = page.items
    assert item.type == "page"
    assert item.data["text"] == "Hello two three"
    assert (page.spider, page.error, page.host, page.fingerprint) == ("generic", None, "http://site.test", "00")
    assert page.spider_version
    assert page.elapsed_ms > 0


async def test_the_event_names_its_cause_and_has_an_id_that_follows_from_the_job(bus: Bus):
    await make_crawl(bus)
    [url] = await fetched(bus, "<p>x")
    async with parser_on(bus) as reader:
        deliveries = []
        while not deliveries:
            deliveries = await reader.take(1)
    [delivery] = deliveries

    envelope, version = delivery.envelope, delivery.payload.spider_version
    assert envelope.id == event_id(f"{CRAWL}.{url}.out", spider="generic", version=version)
    assert envelope.causationid == f"{CRAWL}.{url}.out"
    assert (envelope.subject, envelope.source, envelope.crawl) == (url, "scraper.parse", CRAWL)


async def test_a_redirect_is_a_link_and_needs_no_parser(bus: Bus, reader: Consumer):
    [url] = await fetched(bus, "<a href='/ignored'>", status=301, location="http://other.test/", depth=3, hops=2)

    page = (await parsed_pages(reader, 1))[url]

    assert [(link.url, link.redirect) for link in page.links] == [("http://other.test/", True)]
    assert (page.depth, page.hops, page.items, page.error) == (3, 2, (), None)


async def test_a_page_without_its_body_is_an_outcome(bus: Bus, reader: Consumer):
    [url] = await fetched(bus, None)

    page = (await parsed_pages(reader, 1))[url]

    assert (page.error, page.links) == ("body_lost", ())


async def test_a_link_is_handed_over_once(bus: Bus, reader: Consumer):
    [first] = await fetched(bus, "<a href='/a'><a href='/b'>")
    one = (await parsed_pages(reader, 1))[first]
    [second] = await fetched(bus, "<a href='/b'><a href='/c'>", depth=1)
    two = (await parsed_pages(reader, 1))[second]

    assert [link.url for link in one.links] == ["http://site.test/a", "http://site.test/b"]
    assert [link.url for link in two.links] == ["http://site.test/c"]
    assert two.links_found == 2


async def test_a_link_is_handed_over_again_at_a_lesser_depth(bus: Bus, reader: Consumer):
    [deep] = await fetched(bus, "<a href='/a'>", depth=5)
    await parsed_pages(reader, 1)
    [shallow] = await fetched(bus, "<a href='/a'>", depth=2)

    assert len((await parsed_pages(reader, 1))[shallow].links) == 1
    assert deep != shallow


async def test_a_link_is_handed_over_again_to_another_crawl(bus: Bus, reader: Consumer):
    await make_crawl(bus, "crawl-2")
    await fetched(bus, "<a href='/a'>")
    await parsed_pages(reader, 1)
    [url] = await fetched(bus, "<a href='/a'>", crawl="crawl-2")

    assert len((await parsed_pages(reader, 1))[url].links) == 1


async def test_a_link_is_handed_over_again_in_another_epoch(bus: Bus, reader: Consumer):
    await fetched(bus, "<a href='/a'>")
    await parsed_pages(reader, 1)
    await bus.redis.set(bus.keys.epoch, "another world")
    [url] = await fetched(bus, "<a href='/a'>", depth=4)

    assert len((await parsed_pages(reader, 1))[url].links) == 1


async def test_a_page_of_a_crawl_that_is_gone_is_read_but_its_links_lead_nowhere(bus: Bus, reader: Consumer):
    [url] = await fetched(bus, "<title>T</title><a href='/a'>", crawl="unknown")

    page = (await parsed_pages(reader, 1))[url]

    assert (page.title, page.links, page.links_found) == ("T", (), 1)


async def test_links_over_the_crawls_limit_are_counted(bus: Bus):
    await make_crawl(bus, max_links_per_page=3)
    [url] = await fetched(bus, "".join(f"<a href='/{i}'>" for i in range(10)))
    async with parser_on(bus) as reader:
        page = (await parsed_pages(reader, 1))[url]

    assert (len(page.links), page.links_found, page.links_left_out) == (3, 10, 7)


async def test_many_pages_are_read_by_several_children(bus: Bus):
    await make_crawl(bus)
    urls = await fetched(bus, *(f"<title>{i}</title><a href='/{i}'>" for i in range(150)))
    async with parser_on(bus, parsers=2) as reader:
        pages = await parsed_pages(reader, 150)

    assert [pages[url].title for url in urls] == [str(i) for i in range(150)]
    assert await pending(bus) == 0


async def test_a_stop_finishes_what_is_held_and_leaves_the_rest(bus: Bus):
    await make_crawl(bus)
    await fetched(bus, *(f"<title>{i}</title>" for i in range(120)))
    async with parser_on(bus) as reader:
        first = await parsed_pages(reader, 1)

    assert first
    assert await pending(bus) == 0


async def test_pages_that_a_dead_parser_held_are_read_by_the_next(bus: Bus):
    await make_crawl(bus)
    urls = await fetched(bus, "<title>1</title>", "<title>2</title>")
    dead = Consumer(bus, PARSE, lease_seconds=0.01)
    held = await dead.take(2)
    await dead.give_back(held)
    async with parser_on(bus) as reader:
        pages = await parsed_pages(reader, 2)

    assert [pages[url].title for url in urls] == ["1", "2"]
    assert await pending(bus) == 0


async def test_an_error_of_the_children_ends_the_stage(bus: Bus):
    class Failing(parse.Children):
        def submit(self, job):
            future = asyncio.get_running_loop().create_future()
            future.set_exception(parse.NoParser("none to be had"))
            return future

    await make_crawl(bus)
    await fetched(bus, "<p>")
    async with Consumer(bus, PARSE) as consumer, Failing(1) as children:
        with pytest.raises(parse.NoParser, match="none to be had"):
            await parse.Parser(consumer, children).work(asyncio.Event())


async def test_a_page_that_ended_its_parsers_is_an_outcome_and_another_one_when_it_is_given_again(bus: Bus):
    await make_crawl(bus)
    [url] = await fetched(bus, "<title>One</title>")
    async with Consumer(bus, PARSE, when_buried=parse.when_buried) as consumer:
        [page] = await consumer.take(1)
        await consumer.bury(page, "delivered 4 times without an end")

    async with parser_on(bus) as reader:
        first = (await parsed_pages(reader, 1))[url]
        [letter] = [letter async for letter in dead_letters(bus)]
        await retry(bus, letter)
        second = (await parsed_pages(reader, 1))[url]

    assert (first.error, first.detail, first.again) == ("parser_crashed", "delivered 4 times without an end", False)
    assert (second.error, second.title, second.again) == (None, "One", True)
    entries = await bus.redis.xrange(bus.keys.stream("page.parsed"))
    assert len({codec.decode(fields[b"e"]).envelope.id for _, fields in entries}) == 2
