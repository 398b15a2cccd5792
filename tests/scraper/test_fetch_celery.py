"""`celery -A scraper.celery_app worker`, as a container runs it."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from celery import Celery

from contract.broker import celery_settings
from contract.bus import publish
from contract.bus.leases import end_leases, is_gone
from contract.commands import PageFetch
from contract.crawls import CrawlSpec
from contract.envelope import new_message
from contract.topology import FETCH
from penstock.site import SiteOptions, running_site
from scraper.fetchers.lanes import LANES
from tests.scraper.raw_server import answer, raw_server

CRAWL = "20261123-120000-abcdef"
ROOT = Path(__file__).parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "scraper.celery_app"]


async def start(redis_url, *command, **more):
    """A celery command in a process of its own, with nothing in its environment but what it needs."""
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PENSTOCK_ALLOW_PRIVATE": "1", **more}
    if redis_url:
        env["PENSTOCK_REDIS_URL"] = redis_url
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    return await asyncio.create_subprocess_exec(*CELERY, *command, cwd=ROOT, env=env, **pipes)


@contextlib.asynccontextmanager
async def worker(redis_url, **more):
    """A running worker with two fetch processes; killed at the end where it still runs."""
    process = await start(redis_url, "worker", **{"PENSTOCK_CONCURRENCY": "4", "PENSTOCK_WORKERS": "2", **more})
    reading = asyncio.create_task(process.communicate())
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await reading


async def issue(bus, *urls):
    """Jobs of a crawl without delays."""
    spec = msgspec.json.encode(CrawlSpec(name="x", delay_seconds=0, obey_robots=False))
    await bus.redis.hset(bus.keys.crawl(CRAWL), mapping={"state": "running", "spec": spec})
    jobs = [PageFetch(url=url, host="/".join(url.split("/")[:3])) for url in urls]
    messages = [new_message(job, id=f"j.{n}", source="test", crawl=CRAWL) for n, job in enumerate(jobs)]
    await publish(bus, *messages)


def send_tickets(bus, count):
    """Tickets as the scheduler sends them."""
    sender = Celery(set_as_current=False)
    sender.conf.update(celery_settings(bus.url, prefix="penstock"))
    with sender.connection_for_write() as connection:
        for _ in range(count):
            sender.send_task(FETCH.name, queue=FETCH.name, ignore_result=True, connection=connection)


async def until(condition):
    """Wait until an asynchronous condition holds."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)


async def fetchers(bus):
    """The processes that fetch now, by the name that they gave themselves: host-pid-word|capacity."""
    members = await bus.redis.zrange(bus.keys.fetchers, 0, -1)
    return sorted({int(member.decode().partition("|")[0].split("-")[-2]) for member in members})


async def test_two_processes_fetch_show_up_and_end_cleanly(bus):
    async with running_site(SiteOptions(pages=40, latency_ms=20)) as site, worker(bus.url) as process:
        await issue(bus, *(site.root_url.rstrip("/") + site.web.path(number) for number in range(40)))
        await asyncio.to_thread(send_tickets, bus, 2)

        await until(lambda: fetched(bus, 40))
        assert len(await fetchers(bus)) == 2
        asking = await start(bus.url, "inspect", "active", "--timeout", "2")
        shown, _ = await asking.communicate()
        process.send_signal(signal.SIGTERM)
        status = await process.wait()

    assert shown.count(b"'name': 'scraper.fetch'") == 2
    assert status == 0
    assert await fetchers(bus) == []
    assert len(site.log.records) == 40


async def fetched(bus, count):
    """Whether that many pages were fetched."""
    return await bus.redis.xlen(bus.keys.stream("page.fetched")) >= count


async def test_children_die_with_a_killed_parent_and_lose_nothing(bus):
    async def hang(reader, writer):
        await reader.read()

    async with raw_server(hang) as server, worker(bus.url) as process:
        await issue(bus, *(f"{server.url}/{number}" for number in range(4)))
        await asyncio.to_thread(send_tickets, bus, 1)
        await until(lambda: asyncio.sleep(0, len(server.requests) == 4))
        [child] = await fetchers(bus)

        process.kill()
        await until(lambda: asyncio.sleep(0, not is_alive(child)))

    pending = await bus.redis.xpending(bus.keys.stream("page.fetch"), FETCH.name)
    assert pending["pending"] == 4


async def test_what_a_killed_process_had_in_hand_is_fetched_many_at_a_time_and_only_its_killer_is_given_up(bus):
    in_hand, beside, answering = set(), [], asyncio.Event()
    expected = [16, LANES, 1, 1]  # in flight when the bad page is asked for; the third time, others may be already

    async def serve(reader, writer):
        path = server.requests[-1].split()[1].decode()
        in_hand.add(writer)
        try:
            if path == "/bad":
                await until(lambda: asyncio.sleep(0, len(in_hand) >= expected[len(beside)]))
                beside.append(len(in_hand))
                in_hand.clear()
                for pid in filter(is_alive, await fetchers(bus)):
                    os.kill(pid, signal.SIGKILL)  # as the kernel does when there is no memory left
                if len(beside) == 2:
                    answering.set()
            await answering.wait()
            writer.write(answer())
            await writer.drain()
        finally:
            in_hand.discard(writer)

    paths = ["/bad", *(f"/{number}" for number in range(15))]
    async with (
        raw_server(serve) as server,
        worker(bus.url, PENSTOCK_CONCURRENCY="16", PENSTOCK_WORKERS="1"),
    ):
        await issue(bus, *(server.url + path for path in paths))
        for lives in range(1, 5):
            await asyncio.to_thread(send_tickets, bus, 1)
            await until(lambda lives=lives: asyncio.sleep(0, len(beside) == lives))
            await until(lambda: freed(bus))
        await asyncio.to_thread(send_tickets, bus, 1)
        await until(lambda: fetched(bus, 15))
        await until(lambda: failed(bus))

    assert (beside[0], beside[1], beside[3]) == (16, LANES, 1)
    assert await bus.redis.xlen(bus.keys.stream("page.fetched")) == 15
    [letter] = await bus.redis.xrange(bus.keys.dead(FETCH.name))
    assert b"/bad" in letter[1][b"e"]


async def freed(bus):
    """End the leases of the process that was killed; whether there were any."""
    return await end_leases(bus, is_dead=is_gone)


async def failed(bus):
    """Whether a page was given up."""
    return await bus.redis.xlen(bus.keys.stream("page.failed"))


def is_alive(pid):
    """Whether a process still runs; one that nobody has collected yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


async def test_sigterm_finishes_what_is_in_flight(bus):
    async def slowly(reader, writer):
        await asyncio.sleep(0.5)
        writer.write(answer())

    async with raw_server(slowly) as server, worker(bus.url) as process:
        await issue(bus, server.url)
        await asyncio.to_thread(send_tickets, bus, 1)
        await until(lambda: asyncio.sleep(0, len(server.requests) == 1))
        process.send_signal(signal.SIGTERM)
        status = await process.wait()

    assert status == 0
    assert await fetched(bus, 1)


@pytest.mark.parametrize(
    ("redis_url", "more", "line"),
    [
        ("", {}, b"no Redis: set PENSTOCK_REDIS_URL"),
        ("redis://127.0.0.1:1/0", {"PENSTOCK_WORKERS": "many"}, b"PENSTOCK_WORKERS must be a whole number"),
    ],
)
async def test_a_setting_that_is_missing_or_wrong_is_one_clear_line(redis_url, more, line):
    process = await start(redis_url, "worker", **more)
    _, said = await process.communicate()

    assert process.returncode == 2
    assert line in said
    assert said.count(b"\n") == 1


async def test_a_worker_with_the_pool_solo_outlives_the_shell_that_started_it(redis_url, tmp_path):
    words = " ".join([*CELERY, "worker", "--pool", "solo"])
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PENSTOCK_REDIS_URL": redis_url}
    script = f"{words} >{tmp_path}/log 2>&1 & echo $!; until grep -q ready {tmp_path}/log; do sleep 0.1; done"
    shell = await asyncio.create_subprocess_exec("sh", "-c", script, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(shell.communicate(), 40)
    pid = int(out)
    try:
        left = os.pidfd_open(pid)
        os.kill(pid, signal.SIGTERM)  # it is there, and ends by being asked to, not by the kernel
        async with asyncio.timeout(20):
            ready = asyncio.Event()
            asyncio.get_running_loop().add_reader(left, ready.set)
            await ready.wait()
    finally:
        asyncio.get_running_loop().remove_reader(left)
        os.close(left)
    assert "ready" in (tmp_path / "log").read_text()
    assert "Warm shutdown" in (tmp_path / "log").read_text()


async def test_a_pool_that_cannot_run_an_event_loop_is_refused_in_one_line(redis_url):
    from types import SimpleNamespace

    from scraper.celery_app import _check_pool

    with pytest.raises(SystemExit):
        _check_pool(SimpleNamespace(__module__="celery.concurrency.gevent"))
    _check_pool("celery.concurrency.prefork:TaskPool")
