"""States to draw, with boring defaults; and texts of strangers who mean no good."""

from functools import partial
from typing import Any

import msgspec
from hypothesis import strategies

from penstock.view.state import CrawlState

HOSTILE = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07",
    "\x1b[31mred",
    "\x9b2J",
    "two\r\nlines\x0b\x0c\u2028\u2029\x85three",
    "[bold red]markup[/] [link=http://evil.test]x[/link]",
    "漢字のとても長いタイトル" * 20,
    "👩‍👩‍👧‍👦❤️🇩🇪👍🏽" * 10,
    "\u202egnp.exe\u2066\u200f\u200b\ufeff",
    "שלום עולם مرحبا",
    "e" + "\u0301" * 500,
    "\u0e33\u1160\u115f\u3164",
    "x" * 10_000,
    "\ud800 \x00 \U000e0041",
    "",
)
#: Anything that a page, a host or an old recorder may have said.
texts = strategies.one_of(strategies.sampled_from(HOSTILE), strategies.text(max_size=300))
few = strategies.integers(0, 8)
counts = strategies.sampled_from([0, 1, 7, 999, 12_345, 10**9])


def made_state(**changes: Any) -> CrawlState:
    """A crawl in the middle of its work; changes are fields."""
    plain = CrawlState(
        crawl="c", name="demo", seconds=65.0, pages_per_second=60.6, spark=(1.0, 2.0, 4.0),
        discovered=707, queued=406, in_flight=3, fetched=294, failed=1, excluded=2, retried=6,
        items=278, bytes=2_300_000, latency_ms={"p50": 38, "p95": 1_275},
        backlog={"scraper.fetch": 41, "scraper.parse": 3, "storage.record": 1_200},
        statuses={"200": 278, "404": 1, "429": 3}, reasons={"http_429": 3, "robots": 2},
        latest=[{"url": f"http://a.test/{number}", "status": 200, "title": f"Page {number}"} for number in range(5)],
        failures=[{"url": "http://a.test/slow", "reason": "timeout", "status": None, "detail": "no answer"}],
        hosts=[{"host": f"http://h{at}.test", "per_second": 9.0 - at, "latency_ms": 40, "errors": at} for at in (0, 1)],
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


@strategies.composite
def hostile_states(draw: strategies.DrawFn) -> CrawlState:
    """States in which every text is a stranger's and every number is possible."""
    text, count = partial(draw, texts), partial(draw, counts)
    host = {
        "host": text(),
        "per_second": 0.5,
        "latency_ms": draw(strategies.sampled_from([None, 3, 99_999])),
        "errors": count(),
    }
    return made_state(
        name=text(), state=text(), seconds=draw(strategies.sampled_from([0.0, 59.9, 1e6])),
        discovered=count(), queued=count(), fetched=count(), failed=count(), excluded=count(), retried=count(),
        items=count(), bytes=count(), pages_per_second=float(count()), complete=draw(strategies.booleans()),
        backlog={"scraper.fetch": count(), "storage.record": count()},
        statuses={text(): 1, "200": count()}, reasons={text(): count(), text(): 1},
        latest=[{"url": text(), "status": draw(strategies.sampled_from([None, 200])), "title": text()}] * 5,
        failures=[{"url": text(), "reason": text(), "status": None, "detail": text()}] * draw(few),
        latency_ms=draw(strategies.sampled_from([{}, {"p50": 3, "p95": 70_000}])),
        hosts=[host] * draw(few),
        spark=tuple(map(float, range(draw(strategies.integers(0, 40))))),
    )  # fmt: skip
