"""`penstock crawl` against every hostile page there is: each ends in its outcome, and the good pages all come home."""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from penstock.site import RunningSite, SiteOptions, running_site
from penstock.site.hostile import CATALOGUE, GOOD_PAGES, good_body, good_path
from penstock.site.hostile_case import Hostile
from tests.system.commands import descendants, rows, running

WORDS = ("--delay", "0", "--per-host", "32", "--allow-private", "--progress", "none")
#: Issue 2: no process passes this, whatever a site sends.
MOST_MEMORY_KIB = 1_500_000
#: How a parser says that a page costs more than it is given.
COSTLY_ERRORS = {None, "parse_timeout", "parse_memory", "parser_crashed"}
#: Costs a parser the most memory, and not the most time.
DEAREST = "formatting_bomb"


class Crawled:
    """What a crawl of the hostile pages left behind."""

    def __init__(self, site: RunningSite, data: Path, status: int, memory: dict[str, int]) -> None:
        self.site, self.data, self.status, self.memory = site, data, status, memory
        self.pages: dict[str, dict[str, Any]] = {}
        self.parse_errors: dict[str, str | None] = {}

    async def load(self) -> None:
        """Read what was stored; pages by their path, of other hosts by their URL."""
        root = self.site.root_url.rstrip("/")
        self.pages = {row["url"].removeprefix(root): row for row in await rows("pages", self.data)}
        with contextlib.closing(sqlite3.connect(self.data / "penstock.db")) as database:
            found = database.execute("SELECT url, parse_error FROM pages").fetchall()
        self.parse_errors = {url.removeprefix(root): error for url, error in found}

    def wrong_outcomes(self, cases: Iterable[Hostile]) -> dict[str, str]:
        """The pages that did not end as the catalogue says, with how they ended."""
        ends = {case: _end(self.pages.get(f"/hostile/{case.name}")) for case in cases}
        return {case.name: end for case, end in ends.items() if end not in (case.outcome, *case.or_else)}


def _end(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not recorded"
    return "fetched" if row["outcome"] == "fetched" else str(row["reason"])


async def crawl(site: RunningSite, data: Path, *words: str) -> Crawled:
    """Crawl the hostile pages to the end, and look at the memory of every process meanwhile."""
    memory: dict[str, int] = {}
    more = {"PENSTOCK_DEADLINE_SECONDS": "4"}
    async with running("crawl", f"{site.root_url}hostile/", *WORDS, *words, "--data", str(data), **more) as process:
        ending = asyncio.create_task(process.wait())
        while not ending.done():
            for pid, command in [(process.pid, "penstock crawl"), *descendants(process.pid)]:
                memory |= _most_memory(pid, command)
            await asyncio.wait({ending}, timeout=0.1)
    crawled = Crawled(site, data, ending.result(), memory)
    await crawled.load()
    return crawled


def _most_memory(pid: int, command: str) -> dict[str, int]:
    """The most that a process ever held, in KiB; empty if it has gone."""
    with contextlib.suppress(OSError):
        if found := re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()):
            return {f"{pid} {command}": int(found[1])}
    return {}


def check(crawled: Crawled, cases: list[Hostile]) -> None:
    """All that must hold whichever of the pages were crawled."""
    assert crawled.status == 0
    assert crawled.wrong_outcomes(cases) == {}
    assert {path: crawled.pages[path]["bytes"] for path in map(good_path, range(1, GOOD_PAGES + 1))} == {
        good_path(number): len(good_body(number)) for number in range(1, GOOD_PAGES + 1)
    }
    costly = {f"/hostile/{case.name}" for case in cases if case.costly}
    assert {path for path, error in crawled.parse_errors.items() if error} <= costly
    assert {crawled.parse_errors[path] for path in costly} <= COSTLY_ERRORS
    assert {name: kib for name, kib in crawled.memory.items() if kib > MOST_MEMORY_KIB} == {}
    assert len(crawled.memory) >= 8  # the server, three stages, two fetch processes, two parsers
    for log in (crawled.data / "logs").glob("*.log"):
        assert "Traceback" not in log.read_text(), log
    # Nothing of another host was asked for: not where redirects lead, not where links do.
    elsewhere = {url: _end(row) for url, row in crawled.pages.items() if not url.startswith("/")}
    assert elsewhere["http://169.254.169.254/latest/"] == "scope"
    assert set(elsewhere.values()) == {"scope"}


async def test_every_quick_hostile_page_ends_in_its_outcome_and_the_good_pages_are_stored(tmp_path: Path) -> None:
    left_out = [case for case in CATALOGUE.values() if not case.quick or (case.costly and case.name != DEAREST)]
    cases = [case for case in CATALOGUE.values() if case.listed and case not in left_out]
    denied = [word for case in left_out for word in ("--deny", f"/hostile/{case.name}$")]
    async with running_site(SiteOptions(pages=1)) as site:
        check(await crawl(site, tmp_path, *denied), cases)


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_every_hostile_page_ends_in_its_outcome_and_the_good_pages_are_stored(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=1)) as site:
        check(await crawl(site, tmp_path), [case for case in CATALOGUE.values() if case.listed])
