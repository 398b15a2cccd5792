"""The database: whether it can be used, and whether its tables are as this code knows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from penstock.doctor.finding import Finding, bad, ok, warn
from penstock.doctor.server import clock
from penstock.view.numbers import size


class DatabaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was learnt of a database. `revision`: of its tables, None where it has none; `ahead_seconds`: its clock."""

    kind: str
    version: str
    revision: str | None
    revisions: Sequence[str]
    bytes: int
    journal: str = ""
    ahead_seconds: float | None = None


def check_database(facts: DatabaseFacts) -> list[Finding]:
    """All findings on a database that answers."""
    found = [_kind(facts), _revision(facts)]
    if facts.ahead_seconds is not None:
        found.append(clock("database clock", facts.ahead_seconds, whose="the database's"))
    return found


def nothing_recorded(path: Path) -> Finding:
    """There is no file yet."""
    return ok("database", f"nothing has been recorded in {path} yet")


def _kind(facts: DatabaseFacts) -> Finding:
    text = f"{facts.kind} {facts.version}, {size(facts.bytes)}"
    if facts.journal not in ("", "wal"):
        mend = "put it on a local disk: no WAL works on a network's"
        return warn(
            "database", f"{text}, journal mode {facts.journal}: readers and the writer wait for each other", mend
        )
    return ok("database", f"{text}{', WAL' if facts.journal else ''}")


def _revision(facts: DatabaseFacts) -> Finding:
    newest = facts.revisions[-1]
    if facts.revision is None:
        return ok("database tables", "none yet; penstock record makes them")
    if facts.revision not in facts.revisions:
        text = f"revision {facts.revision}, of a newer Penstock; this one knows {newest}"
        return bad("database tables", text, "upgrade this Penstock")
    if facts.revision != newest:
        text = f"revision {facts.revision}, this Penstock has {newest}"
        return bad(
            "database tables", text, "make a backup, stop the older stages, and start penstock record: it upgrades"
        )
    return ok("database tables", f"revision {newest}, as this Penstock has it")
