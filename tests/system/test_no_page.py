"""A crawl that found no page says so by its exit status, and in one line what happened and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scraper.raw_server import answer, raw_server
from tests.system.commands import penstock, rows

FAST = ("--delay", "0", "--allow-private", "--progress", "none", "--ignore-robots")


def to(location: str, *lines: str) -> bytes:
    """A redirect, with more header lines."""
    return answer(b"", f"Location: {location}", *lines, status="302 Found")


async def crawl(tmp_path: Path, at: Callable[[str, str], bytes], *words: str):  # type: ignore[no-untyped-def]
    """Crawl a server that answers by path (and its own URL), from its path /a; with the failures by path."""

    async def script(reader, writer):  # type: ignore[no-untyped-def]
        while True:
            writer.write(at(server.requests[-1].split()[1].decode(), server.url))
            await writer.drain()
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw_server(script) as server:
        done = await penstock("crawl", f"{server.url}/a", *FAST, *words, "--data", str(tmp_path))
        failed = await rows("failures", tmp_path)
    return done, {row["url"].removeprefix(server.url): row["reason"] for row in failed}


@pytest.mark.parametrize("status", ["302 Found", "301 Moved"])
async def test_a_seed_that_leads_out_of_scope(tmp_path: Path, status: str) -> None:
    raw = answer(b"", "Location: http://127.0.0.2:1/b", status=status)
    done, failed = await crawl(tmp_path, lambda path, url: raw)

    assert (done.status, failed) == (1, {})
    [line] = [line for line in done.err.splitlines() if "no page" in line]
    assert "/a redirects to http://127.0.0.2:1/b" in line
    assert "--scope" in line


async def test_an_answer_that_is_no_page(tmp_path: Path) -> None:
    done, _ = await crawl(tmp_path, lambda path, url: answer(b"", status="304 Not Modified"))

    assert done.status == 1
    assert "/a: answered 304" in done.err


@pytest.mark.parametrize(
    ("lines", "last", "reason"),
    [((), "/b", "redirect_loop"), (("Set-Cookie: seen=1",), "/b", "needs_cookies"), ((), "/a", "redirect_loop")],
)
async def test_a_seed_that_leads_in_a_circle(tmp_path: Path, lines: tuple[str, ...], last: str, reason: str) -> None:
    ways = {"/a": last, "/b": "/a"}
    done, failed = await crawl(tmp_path, lambda path, url: to(ways[path], *lines))

    assert (done.status, failed) == (1, {last: reason})
    assert f"{last}: {reason}" in done.err
