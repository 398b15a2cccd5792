"""`penstock reparse`: today's extractor over what a crawl has fetched, and a summary of what came of it."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

from sqlalchemy import Engine

from contract.crawls import CrawlSpec
from contract.errors import Refused
from contract.logs import configure_logs
from contract.settings import Settings, load
from penstock.commands.recorded import recorded_crawl
from penstock.reparsing.choosing import Task
from penstock.reparsing.stream import Stream
from penstock.reparsing.summary import Summary, print_summary
from penstock.reparsing.tally import Tally
from penstock.stopping import INTERRUPTED, stop_on_signals
from penstock.view.bar import Show, bar
from scraper.parsers.children import Children
from scraper.robots.groups import product_token
from scraper.spiders import Extractor
from scraper.spiders import load as load_extractor
from storage.archive.reader import ArchiveReader
from storage.archive.segments.opening import open_store
from storage.read_models import item_views
from storage.read_models.queries import CrawlRow
from storage.reparse import count
from storage.sql.database import open_database
from storage.store.history import spec_of

FINISHED, NOTHING_PARSED = 0, 1
#: Objects made between two looks for cycles. A batch of pages is many objects, none of them in a cycle, and the default
#: of 700 has a tenth of this process's time go into looking.
_OBJECTS_A_COLLECTION = 20_000


def reparse(crawl: str, given: dict[str, Any], *, spider: str | None, json: bool) -> int:
    """Run the command; returns the exit status. Raises `Refused` for a crawl or a spider that is not there."""
    began = time.monotonic()
    settings = load(given)
    # What befalls single pages is in the summary, and a warning would go right through the bar.
    configure_logs("ERROR", format="person")
    with recorded_crawl(settings, crawl) as (engine, row):
        task = _task(engine, row, spider)
    tally, finished = asyncio.run(_run(settings, task))
    seconds = time.monotonic() - began
    summary = Summary.of(row, task.extractor, tally, finished=finished, seconds=seconds)
    print_summary(summary, settings, json=json)
    if not finished:
        return INTERRUPTED
    return NOTHING_PARSED if tally.in_trouble and not tally.parsed + tally.already_parsed else FINISHED


def _task(engine: Engine, row: CrawlRow, spider: str | None) -> Task:
    spec = spec_of(engine, row.id) or CrawlSpec(name=row.name)
    reference = spider or spec.spider
    return Task(
        crawl=row.id,
        is_over=row.state in ("finished", "cancelled"),
        extractor=_extractor(reference, spec.args, is_given=spider is not None),
        reference=reference,
        max_links=spec.max_links_per_page,
        detect_encoding=spec.detect_encoding,
        args=spec.args,
        token=product_token(spec.user_agent),
    )


def _extractor(reference: str | None, args: dict[str, str], *, is_given: bool) -> Extractor:
    try:
        extractor = load_extractor(reference, args)
    except Refused as error:
        if is_given:
            raise
        raise Refused(f"{error}; the crawl was made with it, name another with --spider") from error
    if not extractor.version:
        raise Refused(f"the spider {extractor.name!r} has no version to tell its items by: Spider(..., version='1')")
    return extractor


async def _run(settings: Settings, task: Task) -> tuple[Tally, bool]:
    stop = stop_on_signals()
    gc.freeze()
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    engine = open_database(settings)
    try:
        with bar("reparsing", unit="pages") as show, ArchiveReader(open_store(settings), engine) as reader:
            total = count(engine, task.crawl)
            async with Children(settings.parsers) as children:
                stream = Stream(engine, reader, children, on_progress=lambda tally: _show(show, tally, total))
                await stream.work(task, stop)
            await asyncio.to_thread(item_views.refresh, engine)
    finally:
        engine.dispose()
    return stream.tally, not stop.is_set()


def _show(show: Show, tally: Tally, total: int) -> None:
    # A crawl that goes on has more pages by now than it had.
    show(tally.pages, max(total, tally.pages))
