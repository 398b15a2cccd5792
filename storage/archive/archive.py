"""The archive: bodies, as they came from the fetchers, in segments that any WARC tool can read.

Two contracts, which `storage.archive.segments` has implementations of: `Archive` is what one recorder appends to,
`SegmentStore` is where all segments lie. A segment is a `.warc.gz`; its row in SQL has its name and how many of its
bytes are recorded.

The order of a batch, whatever the store: its bytes are durable, then SQL commits their places, then Redis may forget
them. So SQL never names bytes that are not there, and what a dead recorder left behind is bytes that nobody names,
never a lost page.
"""

import gzip
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine

from storage.store.event_store import Place

#: What a gzip member begins with; anything else would make the rest of a segment unreadable.
GZIP_MAGIC = b"\x1f\x8b\x08"


class Archive(ABC):
    """What one recorder appends to; a context manager that ends the segment in hand.

    One batch: `make_ready`, `append`, `flush`; in its transaction `sync`, as the very last; behind it `commit`.
    Wherever that fails, `rewind`. The same batch may then come again, or another one.
    """

    #: Whether a segment takes batch after batch, so that small ones are as good as large ones, and what was appended
    #: can be taken back in the middle of a transaction. If not, a batch is a segment, and should be worth one.
    is_appendable: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.leave()

    @abstractmethod
    def make_ready(self) -> None:
        """Have a segment that takes a batch; outside of any transaction, because it may make one."""

    @abstractmethod
    def append(self, members: Sequence[bytes]) -> list[Place]:
        """Append the gzip members of a batch, in one call; the places hold once the batch is committed.

        Raises OSError (disk full, …).
        """

    @abstractmethod
    def flush(self) -> None:
        """Make what was appended durable; outside of the transaction, which others wait for.

        Raises OSError or `Unreachable`.
        """

    @abstractmethod
    def sync(self, connection: Connection) -> None:
        """Bring the segment's length into the transaction, of which nothing but the commit may be left."""

    @abstractmethod
    def commit(self) -> None:
        """The transaction went through: what was synced stays."""

    @abstractmethod
    def rewind(self) -> None:
        """The transaction failed: take back what was appended; after `sync` no sooner than it is sure that it failed.

        A commit whose answer was lost may have gone through.
        """

    @abstractmethod
    def leave(self) -> None:
        """Let go of the segment in hand; its row stays as it is."""


class SegmentStore(ABC):
    """Where segments lie, each under its name; may be used again after `close`."""

    #: What people call it, without credentials.
    place: str

    @abstractmethod
    def check(self) -> None:
        """Raise `Refused` for a place of no use, `Unreachable` for one that does not answer."""

    @abstractmethod
    def archive(self, engine: Engine, *, segment_bytes: int, segment_seconds: float) -> Archive:
        """What a recorder appends to; a segment beyond this size or age is left, and the next one begun."""

    @abstractmethod
    def repair(self, engine: Engine, *, keep: bool = False) -> list[str]:
        """Put right what recorders left that were killed; returns the names of the segments that were touched.

        What was never recorded goes, and comes again. With `keep` SQL has lost something, so that it may have been
        recorded: nothing is deleted then.
        """

    @abstractmethod
    def read(self, name: str, offset: int, length: int) -> bytes:
        """So many bytes, or fewer where the segment ends. Raises OSError where it is gone, `Unreachable`."""

    @abstractmethod
    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """The bytes of those of these segments that are there. Raises `Unreachable`."""

    @abstractmethod
    def delete(self, names: Sequence[str]) -> None:
        """Delete these, as far as they are there. Raises OSError, `Unreachable`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of open files and of what was read ahead."""


def warcinfo(name: str) -> bytes:
    """The record that a segment begins with, as a gzip member. Source: WARC/1.1, section 6.3."""
    when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return info_record(f"<urn:uuid:{uuid.uuid4()}>", when, {}, head=f"WARC-Filename: {name}\r\n")


def info_record(id: str, when: str, facts: Mapping[str, str], *, head: str = "") -> bytes:
    """A warcinfo record of these facts, and of who writes; `head` is more header lines."""
    said = {"software": "Penstock", "format": "WARC File Format 1.1", **facts}
    fields = "".join(f"{name}: {value}\r\n" for name, value in said.items()).encode("utf-8", "replace")
    lines = (
        f"WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: {id}\r\nWARC-Date: {when}\r\n{head}"
        f"Content-Type: application/warc-fields\r\nContent-Length: {len(fields)}\r\n\r\n"
    )
    return gzip.compress(lines.encode("ascii") + fields + b"\r\n\r\n", mtime=0)
