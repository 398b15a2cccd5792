"""What an exception comes to: never a word about the site that the site has not said."""

import gzip

import pytest

from contract.settings import Settings
from penstock.webhooks.sender import Sender
from scraper.errors import FetchError, HttpStatus, InvalidUrl
from scraper.http.causes import RULES
from scraper.http.client import Client
from scraper.http.exchange import at_once
from scraper.robots.reader import RulesReader
from scraper.robots.verdict import fetch_robots
from scraper.verdicts import VERDICTS, verdict_on
from scraper.warc import write_record
from tests.scraper.raw_server import answer, raw_server

SETTINGS = Settings(allow_private=True, deadline_seconds=10)
AGENT = {"user_agent": "Penstock/0.1"}
PHRASES = ["Gef\xfcllt", "\xff\xfe", "caf\xc3\xa9", "", "a\tb"]


def kinds(root=FetchError):
    """All classes of the tree."""
    return {root}.union(*(kinds(kind) for kind in root.__subclasses__()))


async def robots_of(client, url):
    """What the robots.txt of a server comes to."""
    return await fetch_robots(client, f"{url}/robots.txt", **AGENT, gate=lambda url: at_once, reader=RulesReader())


def test_every_way_to_fail_has_its_verdicts_and_they_are_those_of_its_class():
    assert set(VERDICTS) == kinds() - {FetchError, HttpStatus}
    assert {kind for kind, verdict in VERDICTS.items() if (verdict.page == "again") != kind.retryable} == set()


def test_nothing_that_happens_after_sending_is_final_speaks_of_the_url_or_opens_a_host():
    after = {rule.after for rule in RULES}

    assert RULES[-1].kinds == (Exception,)
    assert InvalidUrl not in after
    assert {VERDICTS[kind].page for kind in after} == {"again"}
    assert {VERDICTS[kind].robots for kind in after} == {"unreachable"}


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_a_status_is_never_a_permission_by_way_of_an_error(status):
    assert verdict_on(HttpStatus(status)).robots == "unreachable"


@pytest.mark.parametrize(
    "error", [ValueError("ours"), UnicodeDecodeError("utf-8", b"x", 0, 1, "ours"), KeyError("ours")]
)
@pytest.mark.parametrize("where", ["scraper.http.client.decode", "scraper.http.connection.read_head"])
async def test_an_error_of_our_own_after_sending_is_tried_again_and_opens_no_host(monkeypatch, caplog, error, where):
    def broken(*args, **options):
        raise error

    monkeypatch.setattr(where, broken)
    raw = answer(b"User-agent: *\nDisallow: /", "Content-Encoding: gzip")
    async with raw_server(raw) as server, Client(SETTINGS) as client:
        with pytest.raises(FetchError) as caught:
            await client.get(server.url, **AGENT)
        found = await robots_of(client, server.url)

    assert (caught.value.reason, caught.value.retryable, caught.value.asked) == ("own_error", True, True)
    assert found.record.verdict == "retry"
    assert "own_error" in {record.action for record in caplog.records if hasattr(record, "action")}


async def test_an_error_of_our_own_at_reading_robots_txt_opens_no_host(monkeypatch):
    monkeypatch.setattr("scraper.robots.reader.Rules", None)
    async with raw_server(answer(b"User-agent: *\nDisallow: /")) as server, Client(SETTINGS) as client:
        found = await robots_of(client, server.url)

    assert found.record.verdict == "retry"
    assert found.record.reason.startswith("own_error")


@pytest.mark.parametrize("phrase", PHRASES)
async def test_the_phrase_means_nothing(phrase):
    async with Client(SETTINGS) as client:
        async with raw_server(answer(b"User-agent: *\nDisallow: /no", status=f"200 {phrase}")) as server:
            got = await client.get(server.url, **AGENT)
            assert (got.status, got.reason) == (200, phrase)
            assert (await robots_of(client, server.url)).record.text == "User-agent: *\nDisallow: /no"
        async with raw_server(answer(b"", "Retry-After: 7", status=f"503 {phrase}")) as server:
            found = await robots_of(client, server.url)
            assert (found.record.verdict, found.retry_after_ms) == ("retry", 7000)
            assert (await client.get(server.url, **AGENT)).status == 503
        async with raw_server(answer(b"", "Location: /b", status=f"301 {phrase}")) as server:
            assert (await client.get(server.url, **AGENT)).header("location") == "/b"


@pytest.mark.parametrize("phrase", PHRASES)
async def test_a_receiver_of_webhooks_may_phrase_it_as_it_likes(phrase):
    sender = Sender(SETTINGS)
    async with raw_server(answer(status=f"204 {phrase}")) as server:
        outcome = await sender.post(server.url, "id", b"{}")
    await sender.close()

    assert outcome.verdict == "taken"


async def test_the_phrase_is_kept_as_it_came():
    async with raw_server(answer(status="200 Gef\xfcllt")) as server, Client(SETTINGS) as client:
        got = await client.get(server.url, **AGENT)
    record = write_record(
        url=got.url, event_id="x", status=got.status, headers=got.headers, body=got.body, digest="", started_at=0,
        reason=got.reason,
    )  # fmt: skip

    assert b"\r\n\r\nHTTP/1.1 200 Gef\xfcllt\r\n" in gzip.decompress(record)
