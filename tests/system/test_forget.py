"""`penstock forget`, as a person runs it on a data folder."""

from pathlib import Path

import pytest
from redis import Redis
from typer.testing import CliRunner

from contract.errors import Refused
from contract.keys import Keys
from contract.settings import Settings
from penstock.cli.every import app
from storage import batch
from storage.archive.segments.files import FileArchive
from storage.read_models import queries
from storage.sql.database import open_database
from storage.store.ledger import Line
from tests import builders
from tests.builders import CRAWL
from tests.storage.helpers import arrival, contents
from tests.storage.test_forget import crawl
from tests.system.commands import penstock


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a finished crawl, and nobody at work."""
    folder = tmp_path / "data"
    _record(folder, crawl(CRAWL))
    return folder


def _record(data, messages):
    engine = open_database(Settings(data=str(data)))
    with FileArchive(data / "archive", engine) as archive:
        batch.write(engine, archive, [arrival(message) for message in messages])
    engine.dispose()


def said(*words: str) -> str:
    """What the command prints, run by this process; raises what it raises."""
    result = CliRunner().invoke(app, ["forget", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


async def test_a_crawl_is_forgotten_with_its_archive_once_somebody_means_it(data: Path) -> None:
    refused = await penstock("forget", CRAWL, "--data", str(data))
    assert refused.status == 2
    assert "these would be forgotten for good; if that is meant, say --yes" in refused.err
    assert CRAWL in refused.out

    done = await penstock("forget", "site", "--yes", "--data", str(data))

    assert done.out.startswith(f"forgot 1 crawl: {len(crawl(CRAWL))} events; deleted 1 segment of the archive")
    engine = open_database(Settings(data=str(data)))
    assert not any(contents(engine).values())
    assert list((data / "archive").iterdir()) == []
    engine.dispose()


def test_crawls_are_forgotten_by_age_and_others_stay(data: Path) -> None:
    assert said("--older-than", "36500", "--data", str(data)).startswith("no crawl ended that long ago")
    _record(data, [builders.crawl_started(crawl="running"), builders.page_fetched(crawl="running")])
    with pytest.raises(Refused, match="is running"):
        said("running", "--yes", "--data", str(data))
    with pytest.raises(Refused, match="which crawls"):
        said("--data", str(data))
    with pytest.raises(Refused, match="no crawl 'x'"):
        said("x", "--yes", "--data", str(data))

    assert '"events":' in said("--older-than", "0", "--yes", "--json", "--data", str(data))

    engine = open_database(Settings(data=str(data)))
    assert [row.id for row in queries.crawls(engine)] == ["running"]
    engine.dispose()


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (None, True),  # no Redis to ask
        ("", True),  # one that was emptied
        ("{batch} {word}", False),
        ("{later} {word}", True),  # an older copy of the database is in place
        ("1 another-word", True),
    ],
)
def test_what_sql_may_have_lost_of_a_segment_is_set_aside_and_not_cut_off(data, redis_url, monkeypatch, told, kept):
    engine, line = open_database(Settings(data=str(data))), Line()
    with FileArchive(data / "archive", engine) as archive:
        other = [arrival(message) for message in crawl("20261124-120000-fedcba")]
        mark = batch.write(engine, archive, other, writer=batch.Writer(line, None)).mark
    engine.dispose()
    for path in (data / "archive").glob("*.warc.gz"):
        with path.open("ab") as file:
            file.write(b"which SQL does not know")
    if told is not None:
        monkeypatch.setenv("PENSTOCK_REDIS_URL", redis_url)
        with Redis.from_url(redis_url) as redis:
            redis.flushall()
            redis.set(Keys().recorded, told.format(batch=mark.batch, later=mark.batch + 1, word=mark.recorder))

    said(CRAWL, "--yes", "--data", str(data))

    aside = data / "archive" / "unrecorded"
    assert {path.read_bytes() for path in aside.glob("*")} == ({b"which SQL does not know"} if kept else set())
