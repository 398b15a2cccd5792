"""Run `penstock` as a person would: as a command, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from contract.settings import Settings
from storage.exports.export import What, export
from storage.sql.database import open_recorded

COMMAND = (sys.executable, "-m", "penstock")
#: A command that takes longer than this hangs.
LIMIT_SECONDS = 50


class Done:
    """What a command said and how it ended."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    def __repr__(self) -> str:
        return f"<exit {self.status}\n--- out\n{self.out}\n--- err\n{self.err}>"

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)


def environ(**settings: str) -> dict[str, str]:
    """The environment without any setting of ours, but these."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PENSTOCK_")}
    return {**kept, **settings}


async def penstock(*words: str, **settings: str) -> Done:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words, env=environ(**settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
    except TimeoutError:
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        raise AssertionError(f"{words} hung\n{err.decode()}\n{logs_of(words)}") from None
    return Done(process.returncode or 0, out.decode(), err.decode())


def logs_of(words: tuple[str, ...]) -> str:
    """The last lines of each log in the command's data folder, for the message of a test that failed."""
    if "--data" not in words:
        return ""
    folder = Path(words[words.index("--data") + 1]) / "logs"
    return "\n".join(f"== {path.name}\n{path.read_text()[-1500:]}" for path in sorted(folder.glob("*.log")))


@contextlib.asynccontextmanager
async def running(
    *words: str, log: Path = Path(os.devnull), **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs in a process group of its own, and is killed with it if it outlives the block."""
    with open(log, "wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, *words),
            env=environ(**settings),
            stdout=subprocess.DEVNULL,
            stderr=err,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """Every process below this one: its pid and command line."""
    for child in _children(pid):
        with contextlib.suppress(OSError):
            yield child, Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        yield from descendants(child)


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


async def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait until a condition holds, which only the outside world can make true."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def rows(what: What, data: Path) -> list[dict[str, Any]]:
    """The rows that `penstock export` writes, without a process for it: they are a means here, and no test's end."""
    engine, file = open_recorded(Settings(data=str(data))), data / f"{what}.jsonl"
    try:
        export(engine, what, to=str(file))
    finally:
        engine.dispose()
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]
