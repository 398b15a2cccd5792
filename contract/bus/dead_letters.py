"""Dead letters: messages that a stage has given up, each with its raw bytes, its body, and why.

Takes what `Consumer.bury` has put on `dead.<stage>`; gives it to its stage once more, or throws it away. Nothing else
removes a dead letter.

What was published when a message was buried stands: other stages have gone on by it. So one that is given again carries
its dead letter's id (`Delivery.again`), by which its stage says the same thing as another fact.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contract import topology
from contract.bus.connection import Bus
from contract.bus.scripts import Script, run

RETRY = Script("contract.bus", "retry.lua")
DROP = Script("contract.bus", "drop.lua")
#: Dead letters read in one round trip.
_CHUNK = 500


class About(msgspec.Struct, frozen=True):
    """What can be told of a message whose bytes may be anything; empty where nothing can."""

    type: str = ""
    crawl: str = ""
    url: str = ""
    host: str = ""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that `stage` has given up. `stream` and `entry_id` say where it stood; `said` counts what followed."""

    stage: str
    id: str
    raw: bytes
    stream: str
    entry_id: str
    reason: str
    count: int
    said: int
    body_key: str | None
    body_bytes: int

    @property
    def name(self) -> str:
        """How people name it: `scraper.parse/1795443331042-0`."""
        return f"{self.stage}/{self.id}"

    @property
    def buried_at(self) -> str:
        """When it was given up, as RFC 3339 text."""
        moment = datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def about(self) -> About:
        """What its bytes tell."""
        try:
            message = msgspec.json.decode(self.raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return About()
        data = _get(message, "data")
        url = _text(data, "url") or _text(message, "subject")
        return About(_text(message, "type"), _text(message, "crawl"), url, _text(data, "host") or _host_of(url))


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Any, name: str) -> str:
    found = _get(value, name)
    return found if isinstance(found, str) else ""


def _host_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which dead letters are meant; what is empty does not matter. `reason` is a part of it, in any case of letters."""

    stage: str = ""
    reason: str = ""
    host: str = ""
    crawl: str = ""

    def fits(self, letter: DeadLetter) -> bool:
        """Whether this one is meant; a host may be given with its scheme or without."""
        about = letter.about
        return (
            self.stage in ("", letter.stage)
            and self.reason.lower() in letter.reason.lower()
            and self.host in ("", about.host, about.host.partition("://")[2])
            and self.crawl in ("", about.crawl)
        )


async def dead_letters(bus: Bus, which: Filter | None = None) -> AsyncIterator[DeadLetter]:
    """The dead letters that are meant (all by default), stage by stage, the oldest first."""
    which = which or Filter()
    for stage in topology.STAGES:
        if which.stage not in ("", stage.name):
            continue
        after = "-"
        while entries := await bus.redis.xrange(bus.keys.dead(stage.name), after, "+", count=_CHUNK):
            for letter in (_letter(stage.name, id, fields) for id, fields in entries):
                if which.fits(letter):
                    yield letter
            after = f"({entries[-1][0].decode()}"


async def dead_letter(bus: Bus, name: str) -> DeadLetter | None:
    """The one of this name (`stage/id`, or an id that only one stage has), or None."""
    async for letter in dead_letters(bus, Filter(stage=name.rpartition("/")[0])):
        if name in (letter.name, letter.id):
            return letter
    return None


def _letter(stage: str, id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    body = fields.get(b"b")
    return DeadLetter(
        stage=stage,
        id=id.decode(),
        raw=fields.get(b"e", b""),
        stream=fields.get(b"stream", b"").decode(),
        entry_id=fields.get(b"id", b"").decode(),
        reason=fields.get(b"reason", b"").decode("utf-8", "replace"),
        count=int(fields.get(b"count", 0)),
        said=int(fields.get(b"said", 0)),
        body_key=body.decode() if body else None,
        body_bytes=int(fields.get(b"s", 0)),
    )


async def retry(bus: Bus, letter: DeadLetter) -> bool:
    """Give it to its stage once more, and to no other; False where it is a dead letter no more."""
    keys = [bus.keys.dead(letter.stage), bus.keys.again(letter.stage), bus.keys.body_bytes]
    return bool(await run(bus.redis, RETRY, keys, [letter.id]))


async def drop(bus: Bus, letter: DeadLetter) -> bool:
    """Throw it away; False where it was gone."""
    return bool(await run(bus.redis, DROP, [bus.keys.dead(letter.stage)], [letter.id]))
