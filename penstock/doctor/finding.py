"""What a check says."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "warn", "bad"]


class Finding(msgspec.Struct, frozen=True):
    """One line: `what` was looked at, what was found, and how to mend it where something is to be mended."""

    level: Level
    what: str
    finding: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.level:<5}{self.what}: {self.finding}{f'; {self.mend}' if self.mend else ''}"


def ok(what: str, finding: str) -> Finding:
    """All is well."""
    return Finding("ok", what, finding)


def warn(what: str, finding: str, mend: str) -> Finding:
    """It works, but not as it should, or not for long."""
    return Finding("warn", what, finding, mend)


def bad(what: str, finding: str, mend: str) -> Finding:
    """It does not work, or loses work."""
    return Finding("bad", what, finding, mend)


def span(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
