"""Many rows in one statement: whatever a column can hold comes back as it went in, from each database."""

import pytest
from sqlalchemy import Boolean, Column, Float, Integer, LargeBinary, MetaData, Table, Text, select

from storage.sql import bulk
from storage.sql.tables import Big

THINGS = Table(
    "things",
    MetaData(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("bytes", LargeBinary),
    Column("text", Text),
    Column("big", Big),
    Column("yes", Boolean),
    Column("real", Float),
)
NOTHING = dict.fromkeys(["bytes", "text", "big", "yes", "real"])


@pytest.fixture
def things(engine):
    """An engine on a database that has the table."""
    THINGS.create(engine)
    return engine


def put(engine, *rows):
    dialect = engine.dialect.name
    with engine.begin() as connection:
        connection.execute(bulk.insert_into(THINGS, dialect), bulk.parameters(THINGS, dialect, rows))


def got(engine):
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(THINGS).order_by(THINGS.c.number)).mappings()]


def test_rows_come_back_as_they_went_in(things):
    rows = [
        {"number": 0, "bytes": b"", "text": "", "big": 0, "yes": False, "real": 0.0},
        {"number": 1, **NOTHING},
        {"number": 2, "bytes": bytes(range(256)), "text": "NULL", "big": 2**63 - 1, "yes": True, "real": 1e300},
        {"number": -(2**31), "bytes": b"\\x00", "text": "{a,\"b\\,'\n", "big": -(2**63), "yes": None, "real": -0.1},
        {"number": 2**31 - 1, "bytes": None, "text": "👨‍👩‍👧 \u202e z̸͎̾", "big": None, "yes": True, "real": 3},
    ]

    put(things, *rows)

    assert got(things) == sorted(rows, key=lambda row: row["number"])


def test_one_row_and_a_thousand_are_the_same(things):
    put(things, {"number": 0, **NOTHING})
    put(things, *({"number": number, **NOTHING} for number in range(1, 1_001)))

    assert [row["number"] for row in got(things)] == list(range(1_001))


def test_rows_are_found_among_values(things):
    put(things, *({**NOTHING, "number": number, "text": str(number)} for number in range(10)))
    dialect = things.dialect.name

    def found(column, values):
        with things.connect() as connection:
            query = select(THINGS.c.number).where(bulk.among(column, dialect, values))
            return sorted(connection.execute(query).scalars())

    assert found(THINGS.c.number, [3, 99, 3]) == [3]
    assert found(THINGS.c.text, ["1", "2"]) == [1, 2]
    assert found(THINGS.c.number, []) == []


@pytest.mark.parametrize(("column", "value"), [("big", 2**63), ("text", "\ud800")])
def test_what_no_database_holds_is_refused(things, column, value):
    with pytest.raises((OverflowError, UnicodeEncodeError)):
        put(things, {"number": 1, **NOTHING, column: value})

    assert got(things) == []
