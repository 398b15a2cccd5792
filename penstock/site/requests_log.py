"""Every request that the simulated web got, one JSON line each: the only oracle for politeness."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Struct

#: Lines wait in memory up to so many bytes; a killed site loses them, so `flush` is called on a timer too.
_BUFFER_BYTES = 256 * 1024


class RequestRecord(Struct, frozen=True):
    """One request, told when its answer is through or nobody listens. Times are monotonic nanoseconds."""

    #: When the whole request head had come, and when the last byte of the answer went; by the kernel, see `stamping`.
    start_ns: int
    end_ns: int
    #: With port.
    host: str
    #: With query, as it stood in the request line.
    path: str
    #: 0 if the connection went before anything was sent.
    status: int
    connection: int
    #: How often this URL has been asked for, this time included.
    attempt: int
    user_agent: str
    #: Requests at this host when this one started, this one included.
    in_flight: int
    #: When a Retry-After of this answer has passed; None if it had none.
    retry_at_ns: int | None = None
    #: The address that asked, without its port.
    client: str = ""


class RequestLog:
    """Keeps records in `records`, or writes them to a file, or both; to be closed."""

    def __init__(self, path: Path | None = None, *, remember: bool = True) -> None:
        self.records: list[RequestRecord] = []
        self.count = 0
        self._remember = remember
        self._file: BinaryIO | None = path.open("wb", buffering=_BUFFER_BYTES) if path else None
        self._encode = msgspec.json.Encoder().encode

    def add(self, record: RequestRecord) -> None:
        """Take one record."""
        self.count += 1
        if self._remember:
            self.records.append(record)
        if self._file:
            self._file.write(self._encode(record) + b"\n")

    def flush(self) -> None:
        """Make the file hold all that was added."""
        if self._file:
            self._file.flush()

    def close(self) -> None:
        """Flush and close the file; records in memory stay."""
        if self._file:
            self._file.close()
            self._file = None


def read_log(path: Path) -> list[RequestRecord]:
    """The records of a log file; a last line that is not whole yet is left out."""
    return list(_records(path.read_bytes()))


def _records(text: bytes) -> Iterator[RequestRecord]:
    whole = text[: text.rfind(b"\n") + 1]
    decode = msgspec.json.Decoder(RequestRecord).decode
    for line in whole.splitlines():
        yield decode(line)
