"""Rows as text: JSON Lines and CSV. Each gives the head first, then one text for each row, and keeps none.

CSV cells that a spreadsheet would take for a formula begin with an apostrophe.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from contract.safe_text import CONTROL, visible

#: What begins a formula in one spreadsheet or another, also behind blanks, in half and in full width.
_FORMULA = tuple("=+-@＝＋－＠")
_BLANKS = " \t\r\n\v\f\0\"'\ufeff\u00a0\u3000"
_RISKY_BLANKS = tuple("\t\r\0")


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One JSON object a line; the head is empty."""
    yield b""
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"


def shown_json(texts: Iterable[bytes]) -> Iterator[bytes]:
    """The same lines of JSON, for a terminal: what would move its cursor is escaped as JSON itself has it."""
    for text in texts:
        line = text.decode("utf-8", "replace").removesuffix("\n")
        yield CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", line).encode() + (b"\n" if line else b"")


def comma_separated(
    rows: Iterable[Mapping[str, Any]], *, columns: Sequence[str], is_shown: bool = False
) -> Iterator[bytes]:
    """CSV (RFC 4180) in UTF-8, every cell quoted; the head names the columns.

    `is_shown`: it is for a terminal, so that control characters are spelled out, line breaks in cells too.
    """
    spelled = _spelled_out if is_shown else cell
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerow([spelled(column) for column in columns])
    yield _taken(buffer)
    for row in rows:
        writer.writerow([spelled(row[column]) for column in columns])
        yield _taken(buffer)


def _spelled_out(value: Any) -> Any:
    text = cell(value)
    return visible(text) if isinstance(text, str) else text


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
