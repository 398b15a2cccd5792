"""The wire between one actor and Redis: each command waits for leave to be sent, each reply for leave to be read.

Takes the place of nothing but the socket: what travels on it is what redis-py packs, and the server is real. So a kill
between any two commands, and between a command and its reply, is a choice of the driver.

The server's clock is told by a prelude to each script: it puts the story's time where the script asks for TIME.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
from typing import Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from contract.bus.connection import Bus
from contract.bus.consumer import RECLAIM
from contract.bus.gate import GATE
from contract.bus.leases import RENEW
from contract.bus.scripts import Script
from contract.progress import PROGRESS
from scheduler.frontier.frontier import DISPATCH
from scraper.fetchers.presence import HELLO
from tests.interleaving.clock import StoryLoop

_PRELUDE = """
local time_ms = tonumber(table.remove(ARGV))
local redis = setmetatable({call = function(name, ...)
  if name ~= 'TIME' then return redis.call(name, ...) end
  return {string.format('%.0f', math.floor(time_ms / 1000)), string.format('%.0f', time_ms % 1000 * 1000)}
end}, {__index = redis})
"""
#: Scripts that are not held up: a heartbeat comes in time, a turn at the gate is over when it is over, and who takes an
#: entry over stands a step before what it does with it.
_AT_ONCE = (RENEW, GATE, RECLAIM, HELLO)
#: Scripts that are run whether there is anything to do or not.
_LOOKS = {script.sha for script in (RECLAIM, RENEW, DISPATCH, HELLO, PROGRESS)}
#: Stands for the time in what is packed, in as many digits.
_NOW = b"7777777777777"
_patched: dict[str, str] = {}
_names: dict[str, str] = {}


class Killed(RedisConnectionError):
    """Raised to an actor that is dead."""


class Wire:
    """What one actor sends and reads, with its driver's leave."""

    def __init__(self, loop: StoryLoop) -> None:
        self.loop, self.is_open, self.is_dead, self.is_frozen = loop, True, False, False
        self.waiting: list[tuple[str, asyncio.Future[None]]] = []
        self.names: set[str] = set()
        #: Nothing was there when it looked last; and whether it has done anything since somebody asked.
        self.is_idle, self.has_worked = False, False

    async def leave(self, what: str) -> None:
        """Wait for leave; raises `Killed`."""
        if self.is_dead:
            raise Killed("the process is dead")
        if not self.is_open:
            future = self.loop.create_future()
            self.waiting.append((what, future))
            await future

    def go_on(self) -> bool:
        """Give leave to whoever waits for the longest time; False where nobody waits."""
        while self.waiting:
            _, future = self.waiting.pop(0)
            if not future.done():
                future.set_result(None)
                return True
        return False

    def kill(self) -> None:
        """From here on nothing goes through."""
        self.is_dead = True
        for _, future in self.waiting:
            if not future.done():
                future.set_exception(Killed("the process is dead"))
        self.waiting.clear()

    def noted(self, sent: list[str], reply: Any) -> None:
        """Remember whether this was work."""
        if "XREADGROUP" in sent:
            self.is_idle = not reply
            self.has_worked |= bool(reply)
        elif DISPATCH.sha in sent and isinstance(reply, list):
            self.is_idle = not reply[0]
            self.has_worked |= not self.is_idle
        elif any(word not in _LOOKS for word in sent if len(word) == 40):
            self.is_idle, self.has_worked = False, True


class SteppedBus(Bus):
    """A bus whose connections have a wire."""

    def __init__(self, url: str, wire: Wire) -> None:
        self.wire = wire
        super().__init__(url)

    def _client(self, *, is_waiting: bool, **options: Any) -> Any:
        client = super()._client(is_waiting=is_waiting, **options)
        pool = client.connection_pool
        pool.connection_class = type("Stepped", (_Stepped, pool.connection_class), {"wire": self.wire})
        return client


class _Stepped:
    wire: Wire
    _greets = _is_first = _is_free = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self._sent: list[str] = []
        super().__init__(*args, **options)

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        async with self.wire.loop.line:
            self._greets = True
            try:
                with self.wire.loop.owing():
                    await super().connect_check_health(*args, **options)  # type: ignore[misc]
            finally:
                self._greets = False

    def pack_command(self, *args: Any) -> list[bytes]:
        if self._greets:
            return super().pack_command(*_told(args, self.wire))  # type: ignore[misc, no-any-return]
        self._sent.append(_what(args))
        return super().pack_command(*_told(args, self.wire))  # type: ignore[misc, no-any-return]

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        if self._greets:
            now = str(self.wire.loop.server_ms()).encode()
            await super().send_packed_command([part.replace(_NOW, now) for part in command], check_health)  # type: ignore[misc]
            return
        if not self.is_connected:  # type: ignore[attr-defined]
            await self.connect_check_health(check_health=False)
        self._is_free, self._is_first = all(word in _FREE for word in self._sent), True
        if not self._is_free or self.wire.is_frozen or self.wire.is_dead:
            await self.wire.leave(f"send {' '.join(self._sent)}")
        now = str(self.wire.loop.server_ms()).encode()  # which is not what it was when this was packed
        command = [part.replace(_NOW, now) for part in command]
        await self.wire.loop.line.acquire()  # one command at a time, or the seed would not decide which comes first
        try:
            with self.wire.loop.owing():
                await super().send_packed_command(command, check_health)  # type: ignore[misc]
        except BaseException:
            self.wire.loop.line.release()
            raise

    async def read_response(self, *args: Any, **options: Any) -> Any:
        if self._greets:
            return await super().read_response(*args, **options)  # type: ignore[misc]
        sent, is_first = self._sent, self._is_first
        self._sent, self._is_first = [], False
        try:
            with self.wire.loop.owing():
                reply = await super().read_response(*args, **options)  # type: ignore[misc]
        except ResponseError:
            self._free_line(is_first)
            await self._read(sent, None, is_first=is_first)
            raise
        except BaseException:
            self._free_line(is_first)
            raise
        self._free_line(is_first)
        await self._read(sent, reply, is_first=is_first)
        return reply

    def _free_line(self, is_first: bool) -> None:
        if is_first:
            self.wire.loop.line.release()

    async def _read(self, sent: list[str], reply: Any, *, is_first: bool) -> None:
        if is_first:
            if not self._is_free or self.wire.is_frozen:
                await self.wire.leave(f"read {' '.join(sent)}")
            self.wire.noted(sent, reply)


_FREE = {script.sha for script in _AT_ONCE} | {"SCRIPT LOAD", "INFO"}


def _what(args: tuple[Any, ...]) -> str:
    return str(args[1]) if args[0] == "EVALSHA" else str(args[0])


def readable(what: str) -> str:
    """What an actor waits for, with the names of scripts."""
    return " ".join(_names.get(word, word) for word in what.split())


def _told(args: tuple[Any, ...], wire: Wire) -> tuple[Any, ...]:
    """The command as it is sent: scripts with the story's time, reads that do not block."""
    if args[0] == "EVALSHA":
        return (args[0], _patched.get(args[1], args[1]), *args[2:], _NOW)
    if args[0] == "SCRIPT LOAD":
        text = _PRELUDE + args[1]
        _names[_sha(args[1])] = _head(args[1])
        _patched[_sha(args[1])] = _sha(text)
        return (args[0], text)
    if args[0] == "TIME":
        return ("EVAL", _CLOCK, 0, _NOW)
    if args[0] == "XREADGROUP":
        wire.names.add(str(args[3]))
        words = list(args)
        if b"BLOCK" in words:
            at = words.index(b"BLOCK")
            del words[at : at + 2]
        return tuple(words)
    return args


def _head(text: str) -> str:
    """What the script at the end of a text calls itself."""
    about = [line for line in text.splitlines() if line.startswith("-- KEYS[1]")]
    before = text[: text.rindex(about[-1])].rstrip("-\n ").splitlines() if about else text.splitlines()
    comment = []
    for line in reversed(before):
        if not line.startswith("--"):
            break
        comment.append(line)
    return f"<{comment[-1].lstrip('- ').split('.')[0].split(':')[0]}>" if comment else "<script>"


async def load_scripts(bus: Bus) -> None:
    """Have the server know every script of ours, so that no story has to begin with it."""
    for script in [one for one in gc.get_objects() if isinstance(one, Script)]:
        await bus.redis.script_load(script.text)


_CLOCK = "local ms = tonumber(ARGV[1]) return {tostring(math.floor(ms / 1000)), tostring(ms % 1000 * 1000)}"


def _sha(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
