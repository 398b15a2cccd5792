"""One member of a consumer group: takes deliveries, keeps their leases, reclaims those of the dead, finishes them.

Takes streams of the map, gives `Delivery` objects, owns the leases of what it holds.

    taken ──▶ held (lease renewed three times in its length) ──▶ hand_over │ bury │ give_back
      ▲                                                            │
      └──────── reclaimed by anybody, LEASE_SECONDS after ◀── process died

- SIGTERM: the stage stops taking, finishes what it holds, and gives back what it cannot.
- kill -9: the leases run out; other consumers reclaim, one entry at a time, so that an entry that kills its reader is
  found out and those that were read along with it are not blamed. After DELIVERY_LIMIT deliveries it is buried. A stage
  that works on several at once takes them with `counts_late`, and begins each when it is safe beside the others.
- Lost connection: reading pauses and goes on; entries that went to a dead connection come back by reclaim.
- Flushed server: groups are made anew at id 0.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from redis.exceptions import ResponseError

from contract import codec
from contract.bus.alive import say_goodbye, say_hello
from contract.bus.connection import Bus
from contract.bus.delivery import Delivery
from contract.bus.groups import ensure_groups
from contract.bus.hand_over import REFUSED, HandOver, Keep, bury_call, hand_over_call
from contract.bus.leases import GIVEN_BACK_MS, consumer_name, renewal
from contract.bus.scripts import PASSING, Call, Script, attempt, passing, run_all
from contract.bus.watching import Result, watchers
from contract.concerning import concerning
from contract.envelope import Message
from contract.errors import Undecodable
from contract.topology import Stage, again, streams_of

#: A delivery whose consumer has been silent for this long may be taken over.
LEASE_SECONDS = 15.0
#: Renewals in the length of a lease: one may be lost without losing the delivery.
HEARTBEATS_A_LEASE = 3
#: How often each consumer looks for deliveries of the dead; lease + this is the longest gap after a kill.
RECLAIM_SECONDS = 2.0
#: Deliveries of one entry before it is buried. The last at least must be alone, or an innocent one may be blamed.
DELIVERY_LIMIT = 4
#: How long a read waits for something to come; also how long a stage may take to notice that it shall stop.
BLOCK_MS = 500
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.05, 2.0

RECLAIM = Script("contract.bus", "clock.lua", "reclaim.lua")


def nothing_follows(delivery: Delivery, reason: str) -> Sequence[Message]:
    """The consequences of burying a delivery, for stages where there are none."""
    return ()


class Consumer:
    """A consumer of one stage; use it as an async context manager."""

    def __init__(
        self,
        bus: Bus,
        stage: Stage,
        *,
        when_buried: Callable[[Delivery, str], Sequence[Message]] = nothing_follows,
        bury_by: Callable[[Delivery, str], Call] | None = None,
        lease_seconds: float = LEASE_SECONDS,
        counts_late: bool = False,
    ) -> None:
        """`counts_late`: what has come back counts not when it is taken, but when the stage says `begin`."""
        self.bus, self.stage, self.group = bus, stage, stage.name
        self.name = consumer_name()
        self.held: dict[str, Delivery] = {}
        self.log = logging.getLogger(stage.name)
        self._when_buried, self._bury_by, self._lease_seconds = when_buried, bury_by, lease_seconds
        self._counts_late = counts_late
        self._reader = bus.reader()
        self._cursors = dict.fromkeys(streams_of(stage), "0-0")
        self._again = again(stage.name)
        self._reclaim_at, self._pause = 0.0, _PAUSE_SECONDS
        self._heart: asyncio.Task[None] | None = None
        self._watchers = watchers(stage)

    def __repr__(self) -> str:
        return f"<Consumer {self.group} {self.name}: {len(self.held)} held>"

    async def __aenter__(self) -> Self:
        await self._say_hello()
        self._heart = asyncio.create_task(self._keep_leases(), name=f"{self.group} heartbeat")
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._heart:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart
        await self._release(list(self.held.values()), blamed=isinstance(error, Exception))
        await say_goodbye(self.bus, self.group, self.name)
        for watcher in self._watchers:
            watcher.closed()

    async def take(self, limit: int, *, block_ms: int = BLOCK_MS, reclaim: bool = True) -> list[Delivery]:
        """At most `limit` deliveries of each stream, or one reclaimed; empty when none came within `block_ms`."""
        try:
            if reclaim and (found := await self._reclaim_one()):
                return self._watched([found])
            entries = await self._read(limit, block_ms)
            self._pause = _PAUSE_SECONDS
        except (*PASSING, ResponseError) as error:
            await self._recover(error)
            return []
        return self._watched([delivery for entry in entries if (delivery := await self._open(*entry, count=1))])

    def _watched(self, deliveries: list[Delivery]) -> list[Delivery]:
        for watcher in self._watchers:
            deliveries = watcher.taken(deliveries)
        return deliveries

    async def hand_over(self, delivery: Delivery, *messages: Message, keep: Keep | None = None) -> bool:
        """Finish a delivery; False where somebody else had finished it, and then nothing has happened."""
        return (await self.hand_over_all([HandOver(delivery, messages, keep)]))[0]

    async def hand_over_all(self, done: Sequence[HandOver]) -> list[bool]:
        """Finish many deliveries in one round trip; each is atomic by itself. What was refused is still held."""
        calls = [hand_over_call(self.bus.keys, self.group, one) for one in done]
        results = await run_all(self.bus.redis, calls)
        effects = [result == 1 for result in results]
        for watcher in self._watchers:
            for one, result in zip(done, results, strict=True):
                if result != REFUSED:
                    watcher.gave(one.delivery, one.messages)
        self.forget(one.delivery for one, effect in zip(done, effects, strict=True) if effect)
        if not all(effects):
            self.forget((one.delivery for one, result in zip(done, results, strict=True) if result == 0), result="lost")
        return effects

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Give a delivery up: it becomes a dead letter, with the consequences that the stage has named.

        A stage whose state depends on what it takes does it by a script of its own.
        """
        messages = self._when_buried(delivery, reason)
        with concerning(self.group, delivery.message):
            if self._bury_by:
                await self._buried(delivery.stream, reason, self._bury_by(delivery, reason))
            else:
                await self._bury(delivery.stream, delivery.id, delivery.raw, reason, delivery.count, messages)
        for watcher in self._watchers:
            watcher.gave(delivery, messages)
        self.forget([delivery], result="buried")

    async def begin(self, delivery: Delivery) -> bool:
        """Let a delivery count that was only held so far (`counts_late`); False where it belongs to somebody else."""
        key = self.bus.keys.stream(delivery.stream)
        call = renewal(key, self.group, self.name, [(delivery.id, delivery.count)], idle_ms=0)
        if (await run_all(self.bus.redis, [call]))[0]:
            self.forget([delivery], result="lost")
        return self.holds(delivery)

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries untouched: the next reclaim takes them, and this delivery does not count."""
        await self._release(deliveries, blamed=False)

    async def set_aside(self, deliveries: Sequence[Delivery]) -> None:
        """Hold these no longer; they come again when their lease has run out, and this delivery does not count."""
        with contextlib.suppress(*PASSING, ResponseError):
            await self._renew(deliveries, idle_ms=0, blamed=False)
        self.forget(deliveries, result="returned")

    def holds(self, delivery: Delivery) -> bool:
        """Whether this is still ours: not finished, not given away, not taken over."""
        return f"{delivery.stream} {delivery.id}" in self.held

    def forget(self, deliveries: Iterable[Delivery], *, result: Result = "done") -> None:
        """Stop renewing these; for scripts of a stage's own that finish deliveries, or say by `result` what they do."""
        gone = [one for one in deliveries if self.held.pop(f"{one.stream} {one.id}", None)]
        for watcher in self._watchers:
            watcher.ended(gone, result)

    # -- reading

    async def _read(self, limit: int, block_ms: int) -> list[tuple[str, str, dict[bytes, bytes]]]:
        streams: Any = {self.bus.keys.stream(name): ">" for name in self._cursors}
        reply = await self._reader.xreadgroup(self.group, self.name, streams, count=limit, block=block_ms)
        root = len(self.bus.keys.root)
        return [
            (stream.decode()[root:], id.decode(), fields or {})
            for stream, entries in reply or ()
            for id, fields in entries
        ]

    async def _open(self, stream: str, id: str, fields: dict[bytes, bytes], *, count: int) -> Delivery | None:
        raw = fields.get(b"e", b"")
        try:
            message = codec.decode(raw)
            if message.envelope.type not in self.stage.takes or stream not in (message.envelope.type, self._again):
                raise Undecodable(f"a {message.envelope.type} on the stream of {stream}")
        except Undecodable as error:
            await self._bury(stream, id, raw, f"undecodable: {error}", count, ())
            return None
        body, mark = fields.get(b"b"), fields.get(b"a", b"").decode()
        delivery = Delivery(stream, id, raw, count, message, body.decode() if body else None, mark)
        if count > DELIVERY_LIMIT:
            await self.bury(delivery, f"delivered {count - 1} times without an end")
            return None
        self.held[f"{stream} {id}"] = delivery
        return delivery

    async def _bury(
        self, stream: str, id: str, raw: bytes, reason: str, count: int, messages: Sequence[Message]
    ) -> None:
        call = bury_call(
            self.bus.keys,
            self.group,
            stream=stream,
            id=id,
            raw=raw,
            reason=reason,
            count=count,
            messages=messages,
        )
        await self._buried(stream, reason, call)

    async def _buried(self, stream: str, reason: str, call: Call) -> None:
        self.log.error("buried an entry of %s: %s", stream, reason, extra={"action": "buried"})
        await run_all(self.bus.redis, [call])
        for watcher in self._watchers:
            watcher.buried()

    # -- reclaiming and leases

    async def _reclaim_one(self) -> Delivery | None:
        if time.monotonic() < self._reclaim_at:
            return None
        for stream, cursor in self._cursors.items():
            args = [self.group, self.name, int(self._lease_seconds * 1000), cursor, stream, int(self._counts_late)]
            keys = [self.bus.keys.stream(stream), self.bus.keys.clock]
            [reply] = await attempt(self.bus.redis, [Call(RECLAIM, keys, args)])
            self._cursors[stream], id = reply[0].decode(), reply[1].decode()
            if reply[4]:
                self.log.error("%d entries of %s were trimmed unread", reply[4], stream, extra={"action": "trimmed"})
            if id and f"{stream} {id}" not in self.held:
                fields = dict(zip(reply[3][::2], reply[3][1::2], strict=True))
                return await self._open(stream, id, fields, count=reply[2])
        if all(cursor == "0-0" for cursor in self._cursors.values()):
            self._reclaim_at = time.monotonic() + min(RECLAIM_SECONDS, self._lease_seconds / 2)
        return None

    async def _keep_leases(self) -> None:
        while True:
            for watcher in self._watchers:
                watcher.beat()
            await asyncio.sleep(self._lease_seconds / HEARTBEATS_A_LEASE)
            await self._say_hello()
            try:
                await self._renew(list(self.held.values()), idle_ms=0)
            except (*PASSING, ResponseError) as error:
                held = len(self.held)
                self.log.warning("could not renew %d leases: %s", held, error, extra={"action": "not_renewed"})
                for watcher in self._watchers:
                    watcher.not_renewed()

    async def _say_hello(self) -> None:
        await say_hello(self.bus, self.group, self.name, life_seconds=LEASE_SECONDS)

    async def _renew(self, deliveries: Sequence[Delivery], *, idle_ms: int, blamed: bool = True) -> None:
        by_stream: dict[str, list[tuple[str, int | None]]] = {}
        for delivery in deliveries:
            count = None if blamed else delivery.count - 1
            by_stream.setdefault(delivery.stream, []).append((delivery.id, count))
        calls = [
            renewal(self.bus.keys.stream(stream), self.group, self.name, entries, idle_ms=idle_ms)
            for stream, entries in by_stream.items()
        ]
        for stream, lost in zip(by_stream, await attempt(self.bus.redis, calls), strict=True):
            # Taken over by somebody, or finished a moment ago.
            gone = [self.held.get(f"{stream} {id.decode()}") for id in lost]
            self.forget(filter(None, gone), result="lost")

    async def _release(self, deliveries: Sequence[Delivery], *, blamed: bool) -> None:
        with contextlib.suppress(*PASSING, ResponseError):
            await self._renew(deliveries, idle_ms=GIVEN_BACK_MS, blamed=blamed)
        self.forget(deliveries, result="returned")

    async def _recover(self, error: Exception) -> None:
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        if str(error).startswith(("NOGROUP", "UNBLOCKED")):
            self.log.error("the streams are gone (flushed or failed over): %s", error, extra={"action": "new_world"})
            with contextlib.suppress(*PASSING):
                await ensure_groups(self.bus)
        elif passing(error):
            self.log.warning("waiting for Redis: %s", error, extra={"action": "redis_away"})
        else:
            raise error
