"""What a process imports before it works: a person waits for the first page, and eight processes start for it."""

import subprocess
import sys

import pytest

from tests.architecture.rules.sources import ROOT

_FRONT = {"typer", "click_repl", "pydantic", "fastapi", "starlette", "uvicorn", "rich", "flower"}
_TELLING = {"opentelemetry", "prometheus_client"}
_PARSING = {"selectolax"}
_ASKING = {"aiohttp", "httpx"}
_WORKING = "scraper.celery_app, scraper.fetchers.bench, celery.apps.worker"

#: What a process begins with, and the libraries that are not for it.
PROCESSES = {
    "crawl, until its stages run": (
        "penstock.cli.every, penstock.commands.crawl",
        {"redis", "valkey", "sqlalchemy", "celery", "fastapi", *_ASKING, *_PARSING, *_TELLING},
    ),
    "scheduler": ("scheduler.service", {"sqlalchemy", *_FRONT, *_ASKING, *_PARSING, *_TELLING}),
    "worker": (_WORKING, {"sqlalchemy", *_FRONT, *_PARSING, *_TELLING}),
    "parse": ("scraper.parse", {"sqlalchemy", "celery", *_FRONT, *_ASKING, *_TELLING}),
    "record": ("storage.record, penstock.notify", {"celery", "alembic", *_FRONT, *_ASKING, *_PARSING, *_TELLING}),
    "parser": ("scraper.parsers.process", {"asyncio", "redis", "celery", "sqlalchemy", *_FRONT, *_ASKING, *_TELLING}),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_starts_without_libraries_that_it_has_no_use_for(process: str) -> None:
    modules, unwanted = PROCESSES[process]
    stage = "penstock.commands.stages, " if process in ("scheduler", "worker", "parse", "record") else ""
    code = f"import sys\nimport penstock.cli, {stage}{modules}\nprint(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert unwanted & {name.partition(".")[0] for name in done.stdout.split()} == set()
