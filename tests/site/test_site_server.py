"""The simulated web over real sockets: what it answers, what it logs, how it starts and stops."""

import asyncio
import gzip
import json
import re
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import sha256

import aiohttp
import pytest
from yarl import URL

from penstock.site import (
    CannotListen,
    RunningSite,
    SiteOptions,
    expected,
    judge,
    read_log,
    running_site,
)

RAW_GET = "GET {} HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def get(session: aiohttp.ClientSession, url: str) -> Answer:
    """The answer to a GET of exactly this URL, redirects not followed."""
    async with session.get(URL(url, encoded=True), allow_redirects=False) as response:
        return Answer(status=response.status, headers=response.headers, body=await response.read())


async def ask_raw(site: RunningSite, request: str) -> bytes:
    """Everything the first host sends for these bytes until it closes."""
    reader, writer = await asyncio.open_connection(*site.hosts[0].split(":"))
    writer.write(request.encode())
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_every_url_answers_as_the_truth_says():
    options = SiteOptions(hosts=3, pages=60, links=10, page_kb=1)
    async with running_site(options) as site, aiohttp.ClientSession() as session:
        for url, truth in expected(site.web).items():
            response = await get(session, url)
            assert response.status == truth.status
            assert sha256(response.body).hexdigest() == truth.sha256
            assert response.headers.get("Location") == truth.location


async def test_a_single_host_is_127_0_0_1():
    async with running_site(SiteOptions(hosts=1, pages=1)) as site:
        assert site.root_url == f"http://127.0.0.1:{site.port}/"


async def test_hosts_share_one_port_and_tell_themselves_apart():
    async with running_site(SiteOptions(hosts=260, pages=260)) as site, aiohttp.ClientSession() as session:
        await get(session, f"http://{site.hosts[0]}/")
        await get(session, f"http://{site.hosts[259]}/")

    assert [record.host for record in site.log.records] == [
        f"127.1.0.1:{site.port}",
        f"127.1.1.10:{site.port}",
    ]


async def test_requests_on_one_connection_are_answered_in_order_and_logged():
    async with running_site(SiteOptions(pages=9)) as site:
        answer = await ask_raw(site, RAW_GET.format("/") + RAW_GET.format("/none") + RAW_GET.format("/"))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]
    records = site.log.records
    assert [(record.path, record.status, record.attempt) for record in records] == [
        ("/", 200, 1),
        ("/none", 404, 1),
        ("/", 200, 2),
    ]
    assert {record.connection for record in records} == {1}
    assert {record.user_agent for record in records} == {"test"}
    assert {record.client for record in records} == {"127.0.0.1"}
    assert all(record.start_ns <= record.end_ns for record in records)


async def test_the_log_counts_what_is_in_flight_at_a_host():
    async with running_site(SiteOptions(pages=9, latency_ms=50)) as site, aiohttp.ClientSession() as session:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(get(session, site.root_url))
        report = judge(site.log.records)[site.hosts[0]]

    assert report.most_in_flight == 4
    assert sorted(record.in_flight for record in site.log.records) == [1, 2, 3, 4]


async def test_latency_holds_an_answer_back():
    async with running_site(SiteOptions(pages=1, latency_ms=60)) as site, aiohttp.ClientSession() as session:
        await get(session, site.root_url)

    (record,) = site.log.records
    assert record.end_ns - record.start_ns >= 59_000_000


async def test_a_client_that_goes_away_is_logged_with_status_0():
    async with running_site(SiteOptions(pages=1, latency_ms=60_000)) as site:
        _, writer = await asyncio.open_connection(*site.hosts[0].split(":"))
        writer.write(RAW_GET.format("/").encode())
        while not site.site.in_flight.total():
            await asyncio.sleep(0)
        writer.transport.abort()
        while not site.log.records:
            await asyncio.sleep(0)

    assert [record.status for record in site.log.records] == [0]


async def test_gzip_is_sent_to_those_who_accept_it_and_only_if_asked_for():
    headers = {"Accept-Encoding": "gzip"}
    for wanted in (True, False):
        options = SiteOptions(pages=1, gzip=wanted)
        async with (
            running_site(options) as site,
            aiohttp.ClientSession(headers=headers, auto_decompress=False) as session,
        ):
            response = await get(session, site.root_url)
            assert (response.headers.get("Content-Encoding") == "gzip") is wanted
            plain = gzip.decompress(response.body) if wanted else response.body
            assert sha256(plain).hexdigest() == expected(site.web)[site.root_url].sha256


async def test_scripted_faults_are_the_same_each_time_and_end():
    options = SiteOptions(pages=40, error_rate=0.4, throttle_rate=0.3, most_faults=2)

    async def statuses() -> list[list[int]]:
        async with running_site(options) as site, aiohttp.ClientSession() as session:
            paths = [site.web.path(number) for number in range(40)]
            return [[(await get(session, f"http://{site.hosts[0]}{path}")).status for path in paths] for _ in range(3)]

    first = await statuses()
    assert {200, 429, 503} == set(first[0])
    assert set(first[2]) == {200}


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_throttled_answer_says_when_to_come_again_and_the_log_knows(form):
    options = SiteOptions(pages=1, throttle_rate=1, retry_after_seconds=3, retry_after_form=form)
    async with running_site(options) as site, aiohttp.ClientSession() as session:
        response = await get(session, site.root_url)

    (record,) = site.log.records
    wait_seconds = (record.retry_at_ns - record.end_ns) / 1e9
    assert response.status == 429
    assert 2.9 < wait_seconds <= 4
    if form == "date":
        assert parsedate_to_datetime(response.headers["Retry-After"]).tzinfo
    else:
        assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("variant", "statuses"),
    [
        ("ok", [200]),
        ("500", [500]),
        ("404", [404]),
        ("bom", [200]),
        ("huge", [200]),
        ("html", [200]),
        ("redirect", [301]),
        ("recovers", [503, 503, 503, 200]),
    ],
)
async def test_robots_txt_comes_in_variants(variant, statuses):
    options = SiteOptions(pages=1, robots=variant, crawl_delay_seconds=2.5)
    async with running_site(options) as site, aiohttp.ClientSession() as session:
        answers = [await get(session, site.root_url + "robots.txt") for _ in statuses]
        last = answers[-1].body

    assert [answer.status for answer in answers] == statuses
    assert (b"Crawl-delay: 2.5" in last) is (variant in ("ok", "bom", "huge", "recovers"))
    assert last.startswith(b"\xef\xbb\xbf") is (variant == "bom")
    assert (len(last) > 512 * 1024) is (variant == "huge")


async def test_a_redirected_robots_txt_ends_at_the_rules():
    async with (
        running_site(SiteOptions(pages=1, robots="redirect")) as site,
        aiohttp.ClientSession() as session,
        session.get(site.root_url + "robots.txt") as response,
    ):
        assert len(response.history) == 2
        assert b"Disallow: /private/" in await response.read()


async def test_traps_go_on_for_ever_and_are_not_walked_into_by_the_truth():
    async with running_site(SiteOptions(pages=9, traps=True)) as site, aiohttp.ClientSession() as session:
        page = (await get(session, site.root_url + "calendar/41")).body
        truths = expected(site.web)

    assert b'href="42"' in page
    assert sum("/calendar/" in url for url in truths) == 1


async def test_the_log_file_holds_what_memory_holds(tmp_path):
    log = tmp_path / "requests.jsonl"
    async with running_site(SiteOptions(pages=9, log=log)) as site, aiohttp.ClientSession() as session:
        await get(session, site.root_url)
        await get(session, site.root_url + "none")

    assert read_log(log) == site.log.records
    assert json.loads(log.read_text().splitlines()[0])["path"] == "/"


async def test_a_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = SiteOptions(port=taken.getsockname()[1])
        with pytest.raises(CannotListen, match=r"^cannot listen on 127.0.0.1 port \d+: Address already in use$"):
            async with running_site(options):
                pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_prints_its_root_and_stops_cleanly_on_a_signal(number, tmp_path):
    log = tmp_path / "requests.jsonl"
    program = (
        "import asyncio; from pathlib import Path; from penstock.site import SiteOptions, serve_forever;"
        f"asyncio.run(serve_forever(SiteOptions(pages=9, log=Path({str(log)!r}))))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", program, stdout=-1, stderr=-1)
    assert process.stdout
    root_url = (await process.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession() as session:
        await get(session, root_url)
        process.send_signal(number)
        _, errors = await process.communicate()

    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert [record.path for record in read_log(log)] == ["/"]


async def test_what_is_no_request_is_refused():
    async with running_site(SiteOptions(pages=1)) as site:
        assert (await ask_raw(site, "silt\r\n\r\n")).startswith(b"HTTP/1.1 400")
        assert (await ask_raw(site, "DELETE / HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 405")
        assert (await ask_raw(site, "GET /" + "x" * 300_000)).startswith(b"HTTP/1.1 431")
        head = await ask_raw(site, "HEAD / HTTP/1.1\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200")
    assert head.endswith(b"\r\n\r\n")
