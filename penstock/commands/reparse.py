"""`penstock reparse`: today's extractor over what a crawl has fetched, and a summary of what came of it.

With `--fetch-missing` what this extractor asks for and the crawl never came to is fetched: by the crawl itself where it
goes on, else by another one of the same specification, `NAME-missing`, that ends when it has those pages.
"""

from __future__ import annotations

import asyncio
import gc
import time
from functools import partial
from typing import Any

import msgspec

from contract.crawls import LATEST_IDENTITY, CrawlSpec
from contract.errors import Refused
from contract.logs import configure_logs
from contract.settings import Settings, load
from penstock.commands.control import OVER, add_seeds
from penstock.commands.crawl import run_plan
from penstock.commands.recorded import recorded_crawl
from penstock.plan import Plan
from penstock.reparsing.choosing import Task
from penstock.reparsing.missing import Missing
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


def reparse(crawl: str, given: dict[str, Any], *, spider: str | None, json: bool, fetch_missing: bool = False) -> int:
    """Run the command; returns the exit status. Raises `Refused` for a crawl or a spider that is not there."""
    began = time.monotonic()
    settings = load(given)
    # What befalls single pages is in the summary, and a warning would go right through the bar.
    configure_logs("ERROR", format="person")
    with recorded_crawl(settings, crawl) as (engine, row):
        spec = spec_of(engine, row.id) or CrawlSpec(name=row.name)
        task = _task(row, spec, spider)
        missing = Missing(engine, settings, row.id, spec, row.seeds)
        tally, finished = asyncio.run(_run(settings, task, missing))
        urls = missing.urls() if finished and fetch_missing else []
    seconds = time.monotonic() - began
    summary = Summary.of(row, task.extractor, tally, finished=finished, seconds=seconds)
    print_summary(summary, settings, json=json)
    if not finished:
        return INTERRUPTED
    if urls:
        status = _fetch(settings, row, msgspec.structs.replace(spec, spider=task.reference), urls, json=json)
        missing.forget()
        return status
    return NOTHING_PARSED if tally.in_trouble and not tally.parsed + tally.already_parsed else FINISHED


def _fetch(settings: Settings, row: CrawlRow, spec: CrawlSpec, urls: list[str], *, json: bool) -> int:
    """Fetch what is missing; the exit status. Raises `Refused` where that cannot be begun."""
    if row.state not in OVER:
        add_seeds(settings, row, urls)
        return FINISHED
    name = f"{spec.name.removesuffix('-missing')}-missing"
    # So many pages are those themselves, for what they link to comes behind them.
    spec = msgspec.structs.replace(spec, name=name, max_pages=len(urls), identity=LATEST_IDENTITY)
    return run_plan(settings, Plan(spec, tuple(urls)), json=json)


def _task(row: CrawlRow, spec: CrawlSpec, spider: str | None) -> Task:
    reference = spider or spec.spider
    return Task(
        crawl=row.id,
        is_over=row.state in OVER,
        extractor=_extractor(reference, spec.args, is_given=spider is not None),
        reference=reference,
        max_links=spec.max_links_per_page,
        detect_encoding=spec.detect_encoding,
        args=spec.args,
        token=product_token(spec.user_agent),
        follow_nofollow=spec.follow_nofollow,
        obey=spec.obey,
        links=reference is not None,  # without a spider they are what they were
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


async def _run(settings: Settings, task: Task, missing: Missing) -> tuple[Tally, bool]:
    stop = stop_on_signals()
    gc.freeze()
    gc.set_threshold(_OBJECTS_A_COLLECTION)
    engine = open_database(settings)
    try:
        with bar("reparsing", unit="pages") as show, ArchiveReader(open_store(settings), engine) as reader:
            total = count(engine, task.crawl)
            async with Children(settings.parsers) as children:
                on_progress = partial(_show, show, total)
                stream = Stream(engine, reader, children, missing=missing, on_progress=on_progress)
                stream.tally.missing = len(missing)
                await stream.work(task, stop)
            await asyncio.to_thread(item_views.refresh, engine)
    finally:
        engine.dispose()
    return stream.tally, not stop.is_set()


def _show(show: Show, total: int, tally: Tally) -> None:
    # A crawl that goes on has more pages by now than it had.
    show(tally.pages, max(total, tally.pages))
