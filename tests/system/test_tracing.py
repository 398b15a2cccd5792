"""One trace for each URL, from its job to its rows, through the real stages; nothing of it unless asked for."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time

import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from contract import codec, tracing
from contract.bus import Bus, publish
from contract.bus.delivery import Delivery
from contract.bus.watching import watchers
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.envelope import Message, new_message
from contract.settings import Settings
from contract.topology import PARSE
from contract.tracing import ids
from contract.tracing.switch import FLUSH_SECONDS
from penstock.site import SiteOptions, running_site
from scheduler import service
from scraper import fetch, parse
from storage import record
from storage.sql.database import make_engine
from storage.store import event_store
from tests import builders

CRAWL = "20261123-120000-traced"


@contextlib.asynccontextmanager
async def stages(settings):
    """Every stage at work, in this process."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for stage in (service.run, parse.run, record.run):
            tasks.create_task(stage(settings, stop))
        tasks.create_task(fetch.work_stream(settings, stop.is_set, dry_seconds=60))
        try:
            yield
        finally:
            stop.set()


async def crawl(bus: Bus, settings: Settings, *seeds: str, **spec):
    """Run a crawl to its end, until all of it is recorded."""
    spec = CrawlSpec(name="x", scope="any", delay_seconds=0.0, per_host=8, obey_robots=False, **spec)
    async with stages(settings):
        await publish(bus, new_message(CrawlStart(spec=spec, seeds=seeds), id="s", source="test", crawl=CRAWL))
        while await bus.redis.hget(bus.keys.crawl(CRAWL), "state") != b"finished":
            await asyncio.sleep(0.02)
        engine = make_engine(settings.sql_url)
        while not any(event_store.read(engine, types=["crawl.finished"])):
            await asyncio.sleep(0.02)
        engine.dispose()


@pytest.fixture
def spans():
    """What is told to OpenTelemetry; called for all spans so far."""
    exporter = InMemorySpanExporter()
    tracing.begin(exporter=exporter)
    yield exporter.get_finished_spans
    tracing.end()


@pytest.fixture
def settings(bus, redis_url, tmp_path):
    """A cluster that may fetch from loopback."""
    return Settings(redis_url=redis_url, data=str(tmp_path), allow_private=True, parsers=1)


def named(found):
    """Name and stage of a span."""
    return found.name, found.attributes.get("messaging.consumer.group.name", found.instrumentation_scope.name)


async def test_the_spans_of_a_url_join_up_from_its_job_to_its_rows(bus, settings, spans):
    async with running_site(SiteOptions(pages=6, links=4)) as site:
        await crawl(bus, settings, site.root_url)

    place = ids.of_url(CRAWL, site.root_url)
    ours = [each for each in spans() if each.context.trace_id == place.trace_id]
    parents = {
        (named(each), named(next(one for one in ours if one.context.span_id == each.parent.span_id)))
        for each in ours
        if each.parent
    }
    job, read = ("process page.fetch", "scraper.fetch"), ("process page.fetched", "scraper.parse")
    assert {
        (("GET", "scraper.fetch"), job),
        (("process page.fetched", "scheduler.settle"), job),
        (("process page.fetched", "storage.record"), job),
        (read, job),
        (("process page.parsed", "scheduler.discover"), read),
        (("process page.parsed", "storage.record"), read),
    } <= parents
    [root] = [each for each in ours if each.parent is None]
    assert (named(root), root.context.span_id) == (job, place.span_id)
    [request] = [each for each in ours if each.name == "GET"]
    assert (request.kind, root.kind) == (SpanKind.CLIENT, SpanKind.CONSUMER)
    assert root.start_time < request.start_time + 10**6 <= request.end_time + 10**6 < root.end_time + 10**7
    assert request.attributes["http.response.status_code"] == 200
    assert root.attributes["messaging.destination.name"] == "page.fetch"
    assert root.attributes["penstock.crawl"] == CRAWL


async def test_each_trace_is_linked_to_that_of_the_page_that_led_to_it(bus, settings, spans):
    async with running_site(SiteOptions(pages=6, links=4)) as site:
        await crawl(bus, settings, site.root_url)

    jobs = [each for each in spans() if named(each) == ("process page.fetch", "scraper.fetch")]
    [started] = [each for each in spans() if each.name == "process crawl.start"]
    known = {each.context.span_id: each for each in jobs} | {started.context.span_id: started}
    for each in jobs:
        [link] = each.links
        assert known[link.context.span_id].context.trace_id == link.context.trace_id != each.context.trace_id
    [seed] = [each for each in jobs if each.attributes["url.full"] == site.root_url]
    assert seed.links[0].context.span_id == started.context.span_id
    assert len({each.context.trace_id for each in jobs}) == len(jobs) > 3


async def test_what_a_script_words_is_in_the_trace_of_what_led_to_it(bus, settings, spans):
    async with running_site(SiteOptions(pages=6, links=4)) as site:
        await crawl(bus, settings, site.root_url, max_depth=1, deny=("/p/",))

    engine = make_engine(settings.sql_url)
    types = ["crawl.started", "crawl.finished", "page.excluded"]
    said = [codec.decode(stored.raw) for stored in event_store.read(engine, types=types)]
    engine.dispose()
    traces = {message.envelope.type: ids.read(message.envelope.traceparent) for message in said}
    assert traces["crawl.started"].trace_id == ids.of_crawl(CRAWL).trace_id
    for type in types[1:]:
        assert traces[type].span_id in {each.context.span_id for each in spans()}, type


async def test_a_failed_fetch_is_an_error_with_its_reason(bus, settings, spans):
    await crawl(bus, settings, "http://127.0.0.1:9/", max_attempts=1)

    [job] = [each for each in spans() if each.name == "process page.fetch"]
    assert (job.status.status_code, job.attributes["error.type"]) == (StatusCode.ERROR, "connect_refused")


async def test_of_traces_that_are_not_sampled_nothing_is_told_by_any_stage(bus, settings, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.0")
    exporter = InMemorySpanExporter()
    tracing.begin(exporter=exporter)
    try:
        async with running_site(SiteOptions(pages=3)) as site:
            await crawl(bus, settings, site.root_url)
    finally:
        tracing.end()

    assert exporter.get_finished_spans() == ()


async def test_a_process_that_does_not_trace_hands_on_what_it_was_given(bus, settings):
    trace = ids.written(ids.of_crawl("c"))
    async with running_site(SiteOptions(pages=3)) as site, stages(settings):
        spec = CrawlSpec(name="x", delay_seconds=0.0, obey_robots=False)
        start = new_message(CrawlStart(spec=spec, seeds=(site.root_url,)), id="s", source="test", crawl=CRAWL)
        await publish(bus, Message(replace(start.envelope, traceparent=trace), start.payload))
        while not (said := await bus.redis.xrange(bus.keys.stream("crawl.started"), count=1)):
            await asyncio.sleep(0.02)

    assert codec.decode(said[0][1][b"e"]).envelope.traceparent == trace


def test_a_collector_that_is_away_does_not_hold_up_the_end_of_a_process(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        tracing.begin()
        [watcher] = watchers(PARSE)
        delivery = Delivery("page.fetched", "1-0", b"", 1, builders.page_fetched())
        watcher.ended(watcher.taken([delivery]), "done")
        began = time.monotonic()

        tracing.end()

        assert time.monotonic() - began < FLUSH_SECONDS + 1


def test_without_the_extra_the_refusal_names_it():
    ask = "import sys; sys.modules['opentelemetry'] = None; from contract import tracing; tracing.begin()"

    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True)

    assert "contract.errors.Refused: PENSTOCK_TRACES needs opentelemetry" in said.stderr
    assert "pip install 'penstock-crawler[otel]'" in said.stderr
