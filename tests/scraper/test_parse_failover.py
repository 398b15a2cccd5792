"""A parser leaves out links that it has handed over before; not those of which the server has lost that."""

from collections.abc import Iterator

import pytest

from contract.bus import Bus, Consumer
from contract.bus.groups import ensure_groups
from tests.rewinding import Rewinding, rewinding
from tests.scraper.pages import fetched, make_crawl, parsed_pages
from tests.scraper.test_parse_stage import parser_on, pending


@pytest.fixture
def server() -> Iterator[Rewinding]:
    with rewinding() as found:
        yield found


async def links(bus: Bus, reader: Consumer, body: str, *, depth: int = 0) -> list[str]:
    """The links that are handed over for the only page on the stream."""
    [url] = await fetched(bus, body, depth=depth)
    return [link.url.removeprefix("http://site.test") for link in (await parsed_pages(reader, 1))[url].links]


async def test_links_that_were_lost_with_a_master_are_handed_over_again(server: Rewinding):
    async with Bus.open(server.url) as bus:
        await ensure_groups(bus)
        await make_crawl(bus)
        async with parser_on(bus) as reader:
            assert await links(bus, reader, "<a href='/a'>") == ["/a"]
            server.remember()
            assert await links(bus, reader, "<a href='/a'><a href='/b'>", depth=1) == ["/b"]
            server.rewind()
            assert await links(bus, reader, "<a href='/a'><a href='/b'>", depth=2) == ["/a", "/b"]
            assert await links(bus, reader, "<a href='/a'><a href='/b'>", depth=3) == []
        assert await pending(bus) == 0


async def test_links_that_the_next_master_has_are_not_handed_over_again(server: Rewinding):
    async with Bus.open(server.url) as bus:
        await ensure_groups(bus)
        await make_crawl(bus)
        async with parser_on(bus) as reader:
            assert await links(bus, reader, "<a href='/a'>") == ["/a"]
            server.remember()
            server.rewind()
            assert await links(bus, reader, "<a href='/a'><a href='/b'>", depth=1) == ["/b"]
