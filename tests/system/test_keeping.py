"""Commands that look after what was recorded, and explain it, on a folder that holds a crawl.

One of each kind runs as a person would run it, in a process of its own; the many that differ only in words run in this
one, by the same command line.
"""

import io
import json
import os
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from contract.crawls import LATEST_IDENTITY, CrawlPaused, CrawlSpec, check_spec
from contract.errors import Refused
from contract.settings import Settings
from penstock.cli.every import app
from penstock.commands import crawls
from penstock.plan import make_plan
from storage import batch
from storage.archive.segments.files import FileArchive
from storage.archive.segments.repair import repair
from storage.sql import tables
from storage.sql.database import open_database, writing
from tests import builders
from tests.builders import CRAWL, URL
from tests.storage.helpers import arrival, contents
from tests.system.commands import penstock

SEED = "http://site.test/"
LATER = "2026-11-23T12:00:30.000Z"
MESSAGES = [
    builders.crawl_started(SEED, delay_seconds=0.5),
    builders.robots_fetched(time="2026-11-23T12:00:01.000Z", verdict="rules", status=200),
    builders.page_fetched(SEED, started_at=1_795_435_202_000),
    builders.page_parsed(SEED, time="2026-11-23T12:00:03.000Z"),
    builders.page_failed(via=SEED, depth=1, reason="http_503", detail="503 Busy", started_at=1_795_435_205_000),
    builders.page_fetched(via=SEED, depth=1, attempt=2, started_at=1_795_435_266_500, waited_ms=5),
    builders.page_parsed(time="2026-11-23T12:01:10.000Z", spider="books", spider_version="v1"),
    builders.page_excluded(URL + "/private", via=SEED, depth=1, reason="robots"),
    builders.crawl_finished(fetched=2, excluded=1, time="2026-11-23T12:02:00.000Z"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a finished crawl."""
    _record(tmp_path / "data", MESSAGES)
    return tmp_path / "data"


def _record(data, messages):
    engine = open_database(Settings(data=str(data)))
    with FileArchive(data / "archive", engine) as archive:
        batch.write(engine, archive, [arrival(message) for message in messages])
    engine.dispose()


def said(*words: str, status: int = 0) -> str:
    """What a command prints, run by this process; raises what it raises."""
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.stdout


def explained(url: str, data: Path, *words: str, status: int = 0) -> str:
    return said("explain", url, "--data", str(data), *words, status=status)


# -- rebuild


async def test_rebuild_mends_what_was_spoiled(data: Path) -> None:
    engine = open_database(Settings(data=str(data)))
    before = contents(engine)
    with writing(engine) as connection:
        connection.execute(tables.pages.update().values(title="spoiled", outcome="failed"))
        connection.execute(tables.tallies.delete())

    done = await penstock("rebuild", "--data", str(data))

    assert (done.status, contents(engine)) == (0, before), done
    assert done.err == "rebuilding all read models: 9 of 9 events\n"
    engine.dispose()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["rebuild", "page"],
            "no read model 'page'; there are: crawls, failures, hosts, items, pages, seeds, timeline",
        ),
        (["explain", "nonsense"], "'nonsense' is not a URL; one is like https://example.com/"),
        (["explain", URL, "--crawl", "none"], "no crawl 'none' in"),
        (["export", "pages", "--type", "page.parsed"], "--type is for items and events"),
        (["export", "events", "--type", "page.lost"], "no event type 'page.lost'; there are: crawl.started"),
        (["export", "pages", "--all-versions"], "--all-versions is for items"),
        (["export", "pages", "--flat"], "--flat is for items, not for pages"),
        (["export", "events", "--format", "csv"], "events cannot be written as csv"),
        (["export", "pages", "--format", "parquet"], "Parquet needs a file"),
        (["export", "events", "-o", "ev.csv"], "events cannot be written as csv, which the name 'ev.csv' promises"),
        (["export", "pages", "--version", "v1"], "--version is for items, not for pages"),
        (["export", "items", "--version", "v1", "--all-versions"], "--version names one version"),
        (["export", "items", "--version", "v9"], "no items by version 'v9'; there are: v1 (of books), 1 (of generic)"),
        (["export", "pages", "--crawl", ""], "the name of the crawl is empty"),
        (["export", "items", "--type", "book"], "no items of type 'book'; there are: page"),
        (["export", "pages", "--crawl", "x", "--all-crawls"], "--crawl names one crawl"),
        (["explain", URL, "--crawl", ""], "the name of the crawl is empty"),
    ],
)
def test_bad_words_are_refused_in_one_line(data: Path, words: list[str], says: str) -> None:
    with pytest.raises(Refused) as refused:
        said(*words, "--data", str(data))

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


# -- a folder where nothing was recorded


@pytest.mark.parametrize(
    "words", [["export", "pages"], ["explain", URL], ["watch"], ["export", "warc", "--crawl", "x"]]
)
def test_reading_where_nothing_was_recorded_is_refused_and_makes_nothing(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(Refused, match=r"^[^\n]*nothing has been recorded in[^\n]*$"):
        said(*words, "--data", str(tmp_path / "none"))

    assert list(tmp_path.iterdir()) == []


async def test_a_refusal_is_one_line_and_status_2(tmp_path: Path) -> None:
    done = await penstock("rebuild", "--data", str(tmp_path / "none"))

    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), done
    assert "nothing has been recorded in" in done.err


def test_the_list_of_crawls_is_empty_where_nothing_was_recorded(tmp_path: Path) -> None:
    assert json.loads(said("crawls", "--json", "--data", str(tmp_path / "none"))) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_newer_penstock_is_refused(data: Path) -> None:
    engine = open_database(Settings(data=str(data)))
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE penstock_schema SET version_num = '9999'")
    engine.dispose()

    with pytest.raises(Refused, match="written by a newer Penstock"):
        said("crawls", "--data", str(data))


# -- explain


async def test_the_life_of_a_page_is_told_in_order(data: Path) -> None:
    done = await penstock("explain", "HTTP://site.test:80/page#part", "--data", str(data))
    lines = done.out.splitlines()

    assert lines[:2] == [URL, f"in crawl {CRAWL} (site)"]
    assert [line[:23] for line in lines[2:] if line[0] != " "] == sorted(
        line[:23] for line in lines[2:] if line[0] != " "
    )
    assert [line[25:] for line in lines[2:]] == [
        "robots.txt of http://site.test (200) has rules",
        f"discovered on {SEED}, at depth 1",
        "issued, attempt 1; requests to this host are 500 ms apart (the crawl's delay)",
        "failed: http_503 (503 Busy); took 60.0 s, after 0 ms with a fetcher",
        "issued, attempt 2, 1.5 s after the last one: attempts that fail are spaced out further and further",
        "fetched: 200 text/html, 1,000 bytes; took 20 ms, after 5 ms with a fetcher",
        lines[8][25:],
        "parsed by books v1: 1 item, 1 link, titled 'A page'",
    ]
    assert lines[8][25:].startswith("its body lies in archive/penstock-")


def test_the_life_of_a_page_as_json(data: Path) -> None:
    told = json.loads(explained(URL, data, "--json"))

    assert (told["url"], told["crawl"], told["hints"]) == (URL, CRAWL, [])
    whats = [step["what"] for step in told["steps"]]
    assert whats == ["robots", "discovered", "issued", "failed", "issued", "fetched", "parsed"]
    body = told["steps"][5]["facts"]["body"]
    assert (data / "archive" / body["segment"]).stat().st_size > body["offset"] + body["length"]


def test_a_robots_txt_has_what_it_said(data: Path) -> None:
    assert "robots.txt of http://site.test (200) has rules" in explained("http://site.test/robots.txt", data)


def test_a_body_that_the_archive_lost_is_said_to_be_lost(data: Path) -> None:
    engine = open_database(Settings(data=str(data)))
    [segment] = (data / "archive").iterdir()
    os.truncate(segment, 600)
    repair(data / "archive", engine)
    engine.dispose()

    assert f"its body is lost: the archive's {segment.name} has lost its end" in explained(URL, data)


def test_a_page_that_was_left_out_has_its_reason_in_words(data: Path) -> None:
    assert "not fetched: the host's robots.txt disallows it (robots)" in explained(URL + "/private", data)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://www.site.test/page/", f"did you mean {URL}?"),
        ("http://site.test/other", f"linked from {SEED}, which was read 2026-11-23T12:00:03; what became of it is not"),
        ("http://elsewhere.test/", "it would not be fetched: it is outside of the crawl's scope (scope)"),
        ("http://site.test/none", "no page of this crawl that was read links to it, and it is no seed"),
    ],
)
def test_a_page_that_was_never_seen_comes_with_a_hint(data: Path, url: str, says: str) -> None:
    assert says in explained(url, data, status=int(not says.startswith("linked")))


def test_a_page_is_explained_by_any_of_its_spellings_where_the_crawl_takes_them_for_one(data: Path) -> None:
    for crawl, identity in (("one", 2), ("two", 1)):
        started = builders.crawl_started(SEED, crawl=crawl, name=crawl, identity=identity)
        _record(data, [started, builders.page_fetched(SEED + "%7ea", crawl=crawl)])

    told = explained(SEED + "~%61", data, "--crawl", "one")
    assert told.startswith(SEED + "%7ea\n")
    assert "fetched: 200" in told
    assert "fetched: 200" not in explained(SEED + "~%61", data, "--crawl", "two", status=1)


def test_the_latest_crawl_that_knows_a_page_is_taken_unless_one_is_named(data: Path) -> None:
    later = builders.crawl_started(SEED, crawl="later", time="2026-11-24T12:00:00.000Z", name="again")
    paused = builders.make_message(CrawlPaused(), crawl="later")
    _record(data, [later, paused, builders.page_parsed("http://site.test/x", crawl="later")])

    assert f"in crawl {CRAWL} (site)" in explained(URL, data)
    told = explained(URL, data, "--crawl", "again", status=1)
    assert f"another crawl knows it: penstock explain … --crawl {CRAWL}" in told
    assert "it waits in the frontier: the crawl is paused" in explained(
        "http://site.test/other", data, "--crawl", "later"
    )


# -- export


async def test_what_a_crawl_left_is_exported_in_every_form(data: Path, tmp_path: Path) -> None:
    _record(data, [builders.page_parsed(id="2", time=LATER.replace("12:00", "13:00"), spider_version="v2")])
    wanted = {
        "pages.parquet": ["pages"],
        "items.csv": ["items", "--all-versions"],
        "old.csv": ["items", "--version", "v1"],
        "events.jsonl": ["events", "--type", "page.failed", "--type", "crawl.finished"],
        "crawl.warc.gz": ["warc", "--crawl", "site"],
    }
    for name, words in wanted.items():
        done = await penstock("export", *words, "-o", str(tmp_path / name), "--data", str(data))
        assert (done.status, done.err) == (0, ""), done

    assert (tmp_path / "pages.parquet").read_bytes()[:4] == b"PAR1"
    assert (tmp_path / "items.csv").read_text().count("\n") == 1 + 3
    assert (tmp_path / "old.csv").read_text().count("\n") == 1 + 1
    assert [json.loads(line)["type"] for line in (tmp_path / "events.jsonl").read_text().splitlines()] == [
        "page.failed",
        "crawl.finished",
    ]
    assert (tmp_path / "crawl.warc.gz").stat().st_size > 1_000


# -- the list of crawls


def test_the_list_of_crawls_has_whole_ids_and_times_to_the_second_where_it_is_piped(data: Path) -> None:
    head, line = said("crawls", "--data", str(data)).splitlines()

    assert head.split()[:4] == ["id", "state", "name", "started_at"]
    assert line.split()[:5] == [CRAWL, "finished", "site", "2026-11-23T12:00:00Z", "2"]


def test_a_crawl_that_nobody_works_on_is_called_stopped_and_running_in_json(tmp_path: Path) -> None:
    _record(tmp_path, [builders.crawl_started(SEED)])

    assert said("crawls", "--data", str(tmp_path)).splitlines()[1].split()[1] == "stopped"
    assert json.loads(said("crawls", "--data", str(tmp_path), "--json"))[0]["state"] == "running"


@pytest.mark.parametrize(("width", "columns"), [(10, 2), (40, 3), (1_000, 9)])
def test_a_narrow_terminal_has_fewer_columns_and_whole_ids(width: int, columns: int) -> None:
    row = {**dict.fromkeys(crawls.COLUMNS, "12"), "id": CRAWL, "state": "stopped", "name": "bücher"}
    table = crawls.table_of([row], width=width)

    console = Console(width=1_000, file=io.StringIO())
    console.print(table)
    assert CRAWL in console.file.getvalue()
    assert len(table.columns) == columns


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "add"])
def test_a_crawl_that_is_not_there_cannot_be_steered_and_nothing_is_made(tmp_path: Path, verb: str) -> None:
    with pytest.raises(Refused, match=r"^no crawl 'x': nothing has been recorded in [^\n]*$"):
        said(verb, "x", "--data", str(tmp_path / "none"))

    assert list(tmp_path.iterdir()) == []


def test_a_new_crawl_has_the_latest_rule_which_spellings_are_one_url_and_a_recorded_one_its_own() -> None:
    spec = make_plan(Settings(), [SEED]).spec

    assert spec.identity == LATEST_IDENTITY
    assert msgspec.convert({"name": "of before"}, CrawlSpec).identity == 1
    with pytest.raises(Refused, match="identity must be between 1 and 2, not 3"):
        check_spec(msgspec.structs.replace(spec, identity=3))
