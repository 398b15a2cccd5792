"""Rows → Parquet, by DuckDB (the extra `parquet`). Rows pass through a file of JSON Lines, so memory stays constant."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from contract.errors import Refused
from storage.exports.formats import json_lines

#: DuckDB's bound; what does not fit goes to a folder beside the file.
_MEMORY = "256MB"
#: Rows that Parquet keeps together, column by column; they lie in memory.
_ROW_GROUP = 8_192
#: Columns that are no text.
_TYPES = {
    **dict.fromkeys(("status", "depth", "attempts"), "INTEGER"),
    **dict.fromkeys(("fetched_at", "failed_at"), "TIMESTAMPTZ"),
    "bytes": "BIGINT",
    "data": "JSON",
}
#: DuckDB wants to know how long a row of JSON may be; it has no buffer shorter than this.
_SHORTEST_BUFFER = 1024 * 1024


def typed(columns: Iterable[str]) -> dict[str, str]:
    """Columns of ours with their types in SQL."""
    return {name: _TYPES.get(name, "VARCHAR") for name in columns}


def write_parquet(rows: Iterable[Mapping[str, Any]], path: Path, *, columns: Mapping[str, str]) -> int:
    """Write rows with these columns and types to a new file; returns their number. Raises `Refused` without DuckDB."""
    duckdb = _duckdb()
    lines = path.with_name(path.name + ".jsonl")
    spilled = path.with_name(path.name + ".tmp")
    try:
        with lines.open("xb") as file:
            number, longest = _write_lines(rows, file)
        with duckdb.connect(
            config={"memory_limit": _MEMORY, "temp_directory": str(spilled), "threads": 1}
        ) as connection:
            connection.execute(_statement(columns, path, longest=longest), {"lines": str(lines)})
    except duckdb.Error as error:
        raise Refused(f"cannot write {path.name} as Parquet: {str(error).partition(chr(10))[0]}") from error
    finally:
        lines.unlink(missing_ok=True)
    return number


def _write_lines(rows: Iterable[Mapping[str, Any]], file: BinaryIO) -> tuple[int, int]:
    """Returns the number of rows, and the bytes of the longest."""
    number, longest = -1, 0
    for line in json_lines(rows):
        longest = max(longest, file.write(line))
        number += 1
    return number, longest


def _duckdb() -> Any:
    try:
        import duckdb
    except ModuleNotFoundError:
        raise Refused("Parquet needs DuckDB, which is not installed: pip install 'penstock-crawler[parquet]'") from None
    return duckdb


def _statement(columns: Mapping[str, str], path: Path, *, longest: int) -> str:
    types = ", ".join(f"{_text(name)}: '{_in_json(kind)}'" for name, kind in columns.items())
    values = ", ".join(_value(name, kind) for name, kind in columns.items())
    size = max(longest, _SHORTEST_BUFFER)
    source = f"read_json($lines, format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {size})"
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
    return f"COPY (SELECT {values} FROM {source}) TO {_text(str(path))} ({options})"


def _in_json(kind: str) -> str:
    return "VARCHAR" if kind == "TIMESTAMPTZ" else kind


def _value(name: str, kind: str) -> str:
    name = '"' + name.replace('"', '""') + '"'
    # Instants are marked as such (isAdjustedToUTC); JSON is plain text: not every reader takes that mark for text.
    kind = {"TIMESTAMPTZ": "TIMESTAMPTZ", "JSON": "VARCHAR"}.get(kind, "")
    return f"TRY_CAST({name} AS {kind}) AS {name}" if kind else name


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
