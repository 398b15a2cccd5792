"""A file's name and its format agree."""

import os

import pytest

from contract.errors import Refused
from storage.exports.endings import format_of
from storage.exports.export import FORMATS


def chosen(path, what="items", given=None):
    return format_of(path, what=what, given=given, possible=FORMATS[what])


@pytest.mark.parametrize(
    ("path", "what", "given", "format"),
    [
        ("x.csv", "items", None, "csv"),
        ("dir.xlsx/X.CSV", "pages", None, "csv"),
        ("x.ndjson", "items", None, "jsonl"),
        ("x.pq", "items", None, "parquet"),
        ("x.warc.gz", "warc", None, "warc"),
        ("x.warc", "warc", None, "warc"),
        ("x.WACZ", "wacz", None, "wacz"),
        # a name that promises nothing
        *(("-", what, None, formats[0]) for what, formats in FORMATS.items()),
        ("out", "items", None, "jsonl"),
        ("out.txt", "items", None, "jsonl"),
        ("v1.2", "items", None, "jsonl"),
        ("out.txt", "items", "csv", "csv"),
        (os.devnull, "items", "csv", "csv"),
        # who says which format knows what he does, with an ending that is near enough
        ("x.json", "items", "jsonl", "jsonl"),
        ("x.xls", "items", "csv", "csv"),
        ("x.csv", "items", "csv", "csv"),
    ],
)
def test_a_name_that_fits_or_promises_nothing_is_taken(path, what, given, format):
    assert chosen(path, what, given) == format


@pytest.mark.parametrize(
    ("path", "what", "given", "says"),
    [
        ("ev.csv", "events", None, "events cannot be written as csv, which the name 'ev.csv' promises; only as jsonl"),
        ("w.jsonl", "warc", None, "warc cannot be written as jsonl, which the name 'w.jsonl' promises; only as warc"),
        ("X.XLSX", "items", None, "which the name 'X.XLSX' promises; only as jsonl or csv or parquet"),
        ("x.json", "items", None, "items cannot be written as json,"),
        ("x.jsonl.gz", "items", None, "items cannot be written as gz,"),
        ("x.csv.gz", "items", "csv", "items cannot be written as gz,"),
        ("x.warc.gz", "pages", None, "pages cannot be written as warc,"),
        ("x.wacz", "warc", None, "warc cannot be written as wacz,"),
        (
            "x.warc.gz",
            "wacz",
            None,
            "wacz cannot be written as warc, which the name 'x.warc.gz' promises; only as wacz",
        ),
        ("x.jsonl", "items", "csv", "the name 'x.jsonl' promises jsonl, and --format says csv; change one of them"),
        ("x.csv", "events", "csv", "events cannot be written as csv; only as jsonl"),
    ],
)
def test_a_name_that_promises_something_else_is_refused_in_one_line(path, what, given, says):
    with pytest.raises(Refused) as refused:
        chosen(path, what, given)

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_pipe_may_have_any_name(tmp_path):
    os.mkfifo(tmp_path / "x.xlsx")

    assert chosen(str(tmp_path / "x.xlsx")) == "jsonl"
