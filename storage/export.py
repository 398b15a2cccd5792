"""Read models → files: JSON Lines or CSV, in constant memory, whole or not at all.

A file appears under its name only when it is complete and on the disk; an interrupted export leaves nothing. `-` is
standard output. CSV cells that a spreadsheet would take for a formula begin with an apostrophe.
"""

import contextlib
import csv
import io
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
from sqlalchemy import Engine

from events.errors import Refused
from storage import queries

Format = Literal["jsonl", "csv"]
What = Literal["pages", "items", "failures"]

_READ: dict[What, Callable[[Engine, str | None], Iterator[dict[str, Any]]]] = {
    "pages": queries.pages,
    "items": queries.items,
    "failures": queries.failures,
}
#: What begins a formula in one spreadsheet or another, also behind blanks, in half and in full width.
_FORMULA = tuple("=+-@＝＋－＠")
_BLANKS = " \t\r\n\v\f\0\"'\ufeff\u00a0\u3000"
_RISKY_BLANKS = tuple("\t\r\0")
#: Rows joined into one write.
_ROWS = 200


def export(engine: Engine, what: What, *, crawl: str | None = None, format: Format = "jsonl", to: str = "-") -> int:
    """Write a crawl's rows (all crawls' if None) to a path or `-`; returns their number. Raises `Refused`."""
    rows = _READ[what](engine, crawl)
    texts = _json_lines(rows) if format == "jsonl" else _csv(rows, columns=queries.COLUMNS[what])
    try:
        with _standard_output() if to == "-" else _whole_file(Path(to)) as file:
            return _write(texts, file)
    except BrokenPipeError:  # whoever reads has read enough; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _write(texts: Iterable[bytes], file: BinaryIO) -> int:
    """Write the head, then a text for each row; returns the number of rows."""
    number = -1
    waiting: list[bytes] = []
    for text in texts:
        number += 1
        waiting.append(text)
        if len(waiting) == _ROWS:
            file.write(b"".join(waiting))
            waiting.clear()
    file.write(b"".join(waiting))
    return number


# -- formats: the head, then one text for each row


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    yield b""
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"


def _csv(rows: Iterable[Mapping[str, Any]], *, columns: Sequence[str]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow(columns)
    yield _taken(buffer)
    for row in rows:
        writer.writerow([cell(row[column]) for column in columns])
        yield _taken(buffer)


def cell(value: Any) -> Any:
    """A value as a CSV cell: objects as JSON, and nothing that a spreadsheet would run."""
    if isinstance(value, dict | list):
        value = msgspec.json.encode(value).decode()
    if isinstance(value, str) and (value[:1] in _RISKY_BLANKS or value.lstrip(_BLANKS).startswith(_FORMULA)):
        return "'" + value
    return value


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")


# -- files


@contextlib.contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    path = Path(os.path.realpath(path))
    try:
        if path.exists() and not path.is_file():  # a pipe, a device: nothing to rename onto
            with path.open("wb") as file:
                yield file
            return
        part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror}") from error
