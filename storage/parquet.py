"""Rows → Parquet, by DuckDB (the extra `parquet`). Rows pass through a file of JSON Lines, so memory stays constant."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from events.errors import Refused
from storage.formats import json_lines

#: DuckDB's bound; what does not fit goes to a folder beside the file.
_MEMORY = "256MB"
#: Rows that Parquet keeps together, column by column; they lie in memory.
_ROW_GROUP = 8_192
#: Columns that are no text.
_TYPES = {"status": "INTEGER", "depth": "INTEGER", "bytes": "BIGINT", "attempts": "INTEGER", "data": "JSON"}
_TIMES = ("fetched_at", "failed_at")
#: DuckDB wants to know how long a row of JSON may be; it has no buffer shorter than this.
_SHORTEST_BUFFER = 1024 * 1024


def write_parquet(rows: Iterable[Mapping[str, Any]], path: Path, *, columns: Iterable[str]) -> int:
    """Write rows with these columns to a new file; returns their number. Raises `Refused` without DuckDB."""
    duckdb = _duckdb()
    columns = list(columns)
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
        raise Refused("Parquet needs DuckDB, which is not installed: pip install 'penstock[parquet]'") from None
    return duckdb


def _statement(columns: list[str], path: Path, *, longest: int) -> str:
    types = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in columns)
    values = ", ".join(f"TRY_CAST({name} AS TIMESTAMP) AS {name}" if name in _TIMES else name for name in columns)
    size = max(longest, _SHORTEST_BUFFER)
    source = f"read_json($lines, format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {size})"
    target = str(path).replace("'", "''")
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"
    return f"COPY (SELECT {values} FROM {source}) TO '{target}' ({options})"
