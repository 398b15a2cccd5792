"""The politeness gate: the last word, over all workers, on when a request to a host may start.

Takes the requests that a consumer is about to send, gives each its turn; those that come while a round trip to Redis is
under way share the next one. Owns nothing but who waits for an answer.
"""

import asyncio
import time
from typing import Any

import msgspec

from contract.bus.consumer import Consumer
from contract.bus.delivery import Delivery
from contract.bus.scripts import Script, run

GATE = Script("contract.bus", "clock.lua", "gate.lua")
#: How much later than its turn a request may start (ms); whoever comes behind keeps its gap from then. Doubles with
#: each turn that is missed, so that a busy machine gets one that it can keep, and nobody starts closer than the gap.
SLACK_MS, MOST_SLACK_MS = 10, 10_000
#: Requests in one round trip: some 0.3 ms of the server's time.
MOST_AT_ONCE = 50


class Turn(msgspec.Struct, frozen=True):
    """Milliseconds to wait before the start (-1: the delivery has gone to another consumer), and the turn's name.

    `is_strict`: somebody at this host keeps a distance, so a start that is later than it has leave to is none.
    """

    wait_ms: int
    name: int = 0
    is_strict: bool = True


class _Asking(msgspec.Struct, frozen=True):
    keys: tuple[str, str]
    args: tuple[int, int, str, int]
    answer: "asyncio.Future[Turn]"


class Gate:
    """The gate as one consumer comes to it."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._asking: list[_Asking] = []
        self._sending: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Gate for {self._consumer.name}: {len(self._asking)} ask>"

    async def wait(self, delivery: Delivery, *, host: str, gap_ms: int) -> bool:
        """Wait until a request to the host may start; False if the delivery has gone to another consumer.

        Who was held up, and would start later than it has leave to, asks again: the next one would follow it too
        closely.
        """
        turn, slack = None, SLACK_MS
        while True:
            asked = time.monotonic()
            turn = await self.ask(delivery, host=host, gap_ms=gap_ms, missed=turn, slack_ms=slack)
            if turn.wait_ms < 0:
                return False
            if turn.wait_ms:
                await asyncio.sleep(turn.wait_ms / 1000)
            late_ms = (time.monotonic() - asked) * 1000 - turn.wait_ms
            if late_ms <= slack or slack >= MOST_SLACK_MS or not turn.is_strict:
                return True
            slack = min(2 * slack, MOST_SLACK_MS)

    async def ask(
        self, delivery: Delivery, *, host: str, gap_ms: int, missed: Turn | None = None, slack_ms: int = SLACK_MS
    ) -> Turn:
        """The turn of a request to a host; `missed` is the one that it had before. Raises what the bus raises."""
        keys = self._consumer.bus.keys
        answer: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        args = (gap_ms, slack_ms, delivery.id, missed.name if missed else 0)
        self._asking.append(_Asking((keys.host(host), keys.stream(delivery.stream)), args, answer))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send(), name="gate")
        return await answer

    async def _send(self) -> None:
        try:
            while self._asking:
                await asyncio.sleep(0)  # whoever is ready in this turn of the loop comes along
                batch, self._asking = self._asking[:MOST_AT_ONCE], self._asking[MOST_AT_ONCE:]
                await self._answer(batch)
        finally:
            self._sending = None

    async def _answer(self, batch: list[_Asking]) -> None:
        head: list[Any] = [self._consumer.group, self._consumer.name]
        mine = self._consumer.bus.keys
        keys = [*(key for one in batch for key in one.keys), mine.resting, mine.clock]
        try:
            found = await run(self._consumer.bus.redis, GATE, keys, head + [arg for one in batch for arg in one.args])
        except Exception as error:
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        for one, wait_ms, name, strict in zip(batch, found[::3], found[1::3], found[2::3], strict=True):
            if not one.answer.done():  # else its job was cancelled meanwhile
                one.answer.set_result(Turn(wait_ms, name, bool(strict)))


async def ask_gate(
    consumer: Consumer, delivery: Delivery, *, host: str, gap_ms: int, missed: Turn | None = None
) -> Turn:
    """The turn of a single request."""
    return await Gate(consumer).ask(delivery, host=host, gap_ms=gap_ms, missed=missed)
