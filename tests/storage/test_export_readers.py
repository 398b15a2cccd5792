"""Parquet as others read it: pandas, Polars, pyarrow and DuckDB find the facts that JSON Lines have."""

import json
from datetime import datetime

import duckdb
import pytest

from contract.pages import Item
from storage.exports import export
from tests import builders
from tests.storage.helpers import write


def _pyarrow(path):
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()


def _pandas(path):
    pytest.importorskip("pyarrow")
    frame = pytest.importorskip("pandas").read_parquet(path)
    assert str(frame["fetched_at"].dtype).endswith(", UTC]")
    return frame.to_dict("records")


def _polars(path):
    frame = pytest.importorskip("polars").read_parquet(path)
    assert frame.schema["fetched_at"].time_zone == "UTC"
    return frame.to_dicts()


def _duckdb(path):
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet($x)", {"x": path})
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("read", [_pyarrow, _pandas, _polars, _duckdb])
@pytest.mark.parametrize("flat", [False, True])
def test_every_reader_finds_instants_and_text(sqlite_engine, tmp_path, read, flat):
    items = (Item(type="t", data={"tags": ["ü", 1], "of": {"a": None}, "n": 2**53 + 1}), Item(type="t", data={"n": 1}))
    write(sqlite_engine, tmp_path / "archive", builders.page_fetched(), builders.page_parsed(items=items))
    for name in ("x.parquet", "x.jsonl"):
        export.export(sqlite_engine, "items", flat=flat, to=str(tmp_path / name))

    found = [_as_json(row) for row in read(str(tmp_path / "x.parquet"))]

    assert found == [json.loads(line) for line in (tmp_path / "x.jsonl").read_text("utf-8").splitlines()]


def _as_json(row):
    """A row as JSON Lines has it; an instant that does not say its zone would fail here."""
    as_json = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            assert value.utcoffset().total_seconds() == 0
            value = value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
        elif name in ("data", "tags", "of") and isinstance(value, str):
            value = json.loads(value)
        as_json[name] = None if value != value else value  # pandas has NaN where there is nothing
    return as_json
