"""What was asked is kept as it was sent."""

import pytest

from contract.settings import Settings
from scraper.http.client import Client
from tests.scraper.raw_server import answer, raw_server

AGENT = {"user_agent": "Penstock/0.1"}


@pytest.fixture
async def client():
    async with Client(Settings(allow_private=True, deadline_seconds=5)) as opened:
        yield opened


async def test_an_answer_comes_with_the_request_byte_for_byte_as_it_was_sent(client):
    async with raw_server(answer()) as server:
        first = await client.get(server.url + "/a%7Eb/%2F?x=|%27^{}#z", user_agent="Other/1 (+http://a.test)")
        again = await client.get(server.url + "/", **AGENT)

    assert [first.request, again.request] == server.requests


async def test_the_request_that_is_kept_has_no_secrets(client):
    headers = {"Authorization": "Bearer 1", "COOKIE": "a=2", "Proxy-Authorization": "Basic 3", "X-A": "4"}
    async with raw_server(answer()) as server:
        got = await client.post(server.url + "/", body=b"secret", headers=headers, deadline_seconds=5)

    assert b"Bearer 1" in server.requests[0]
    assert got.request.startswith(b"POST / HTTP/1.1\r\n")
    assert b"X-A: 4\r\n" in got.request
    assert not any(word in got.request for word in (b"Bearer", b"a=2", b"Basic", b"secret"))
