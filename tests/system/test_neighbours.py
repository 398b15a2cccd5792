"""A project may have folders of any name beside its spider, and libraries of any name installed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.errors import Refused
from penstock.doctor.machine import our_packages
from penstock.site import SiteOptions, running_site
from scraper.spiders import load_spider
from tests.system.commands import LIMIT_SECONDS, Done, environ, rows

SPIDER = """
from events import WORD
from penstock import Page, Spider

spider = Spider("mine")


@spider.page("/**")
def page(page: Page):
    yield {"word": WORD, "title": page.title}
"""


def project(folder: Path) -> Path:
    """A project with folders of everyday names, each of which would break us if it were taken for ours."""
    for name in ("events", "storage", "scheduler", "contract"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("WORD = 'of the project'\n")
    for name in ("scraper", "redis", "json"):
        (folder / f"{name}.py").write_text("raise RuntimeError('not this one')\n")
    (folder / "mine.py").write_text(SPIDER)
    return folder


async def command(folder: Path, *words: str, **variables: str) -> Done:
    """`python -m penstock`, which puts the working folder in front of all others."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "penstock", *words),
        cwd=folder,
        env=environ(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), LIMIT_SECONDS)
    return Done(process.returncode or 0, out.decode(), err.decode())


async def test_a_spider_runs_beside_folders_of_our_names_and_before_a_library_of_its_folders_name(
    tmp_path: Path,
) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "events.py").write_text("WORD = 'of a library'\n")
    folder, data = project(tmp_path / "project"), tmp_path / "data"
    path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH", "")]))
    async with running_site(SiteOptions(hosts=1, pages=3)) as site:
        words = ("crawl", site.root_url, "--spider", "mine.py", "--delay", "0", "--allow-private", "--progress", "none")
        done = await command(folder, *words, "--data", str(data), PYTHONPATH=path)
    assert done.status == 0, done
    assert {row["data"]["word"] for row in await rows("items", data)} == {"of the project"}


def test_a_spider_that_wants_a_module_whose_name_is_ours_is_told_to_rename_it(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "__init__.py").write_text("def save(): ...\n")
    (tmp_path / "mine.py").write_text("from storage import save\n")
    with pytest.raises(
        Refused, match="'storage' is a package of Penstock's, so give the one beside the spider another"
    ):
        load_spider(str(tmp_path / "mine.py"))


def test_the_doctor_names_what_hides_a_package_of_ours(tmp_path: Path) -> None:
    assert our_packages().level == "ok"
    (tmp_path / "contract").mkdir()
    (tmp_path / "contract" / "__init__.py").touch()
    found = our_packages([str(tmp_path)])
    assert found.level == "bad"
    assert str(tmp_path / "contract") in found.finding
