"""What every request passes: host names, origins, the token, body size; and what every answer has with it."""

import asyncio
import hashlib
import socket

import msgspec
import pytest

from contract.errors import Refused
from contract.settings import Settings
from penstock.api.app import make_app
from penstock.api.guards.bodies import MOST_BYTES
from penstock.api.guards.tokens import COOKIE, is_token, session_of
from tests.api.conftest import client_of

TOKEN = "s3cret-s3cret-s3cret"
JSON = {"content-type": "application/json"}
#: What curl says of -d unless it is told otherwise.
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "192.168.1.7", "localhost."]
)
def test_it_answers_to_localhost_and_to_addresses(standing, host):
    assert standing.get("/crawls", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "a@localhost", "", "[::1", "x y"]
)
def test_another_sites_name_that_leads_here_is_answered_with_nothing(standing, host):
    answer = standing.get("/crawls", headers={"host": host})

    assert answer.status_code in (400, 421)
    assert "crawls" not in answer.text


async def test_the_operator_may_name_further_names(settings):
    async with client_of(msgspec.structs.replace(settings, api_names=("crawler.example",))) as client:
        assert (await client.get("/crawls", headers={"host": "crawler.example:8000"})).status_code == 200
        assert (await client.get("/crawls", headers={"host": "example"})).status_code == 421


@pytest.mark.parametrize(
    "said",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site", "origin": "https://evil.test"},
    ],
)
def test_what_another_sites_page_sends_changes_nothing(standing, said):
    for answer in (
        standing.post("/crawls", json={"seeds": ["http://127.0.0.1:9/"]}, headers=said),
        standing.post("/crawls/x/cancel", headers=said),
        standing.delete("/session", headers=said),
    ):
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/cross-site")
    assert standing.get("/crawls", headers=said).json()["crawls"] == []


def test_our_own_page_and_programs_may_change_things(standing):
    for said in ({"sec-fetch-site": "same-origin"}, {"origin": str(standing.base_url)}, {"sec-fetch-site": "none"}, {}):
        assert standing.delete("/session", headers=said).status_code == 204


@pytest.mark.parametrize("said", [{}, {"content-type": "text/plain"}, {"content-type": FORM}])
def test_a_form_of_another_site_cannot_pass_for_json(standing, said):
    answer = standing.post("/crawls", content=b'{"seeds": ["http://127.0.0.1:9/"]}', headers=said)

    assert (answer.status_code, answer.json()["detail"]) == (415, "send Content-Type: application/json")
    assert answer.headers["content-type"] == "application/problem+json"
    assert standing.get("/crawls").json()["crawls"] == []


def test_nobody_is_allowed_to_read_from_another_origin(standing):
    answer = standing.options(
        "/crawls", headers={"origin": "https://evil.test", "access-control-request-method": "POST"}
    )

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "access-control-allow-origin" not in standing.get("/crawls", headers={"origin": "https://evil.test"}).headers


def test_every_answer_says_what_a_browser_may_do_with_it(standing):
    for path in ("/", "/crawls", "/static/nothing.js", "/nowhere", "/crawls?limit=x"):
        headers = standing.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_a_body_that_says_it_is_too_long_is_not_waited_for(standing):
    head = f"POST /crawls HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n"
    with socket.create_connection((standing.base_url.host, standing.base_url.port), timeout=10) as connection:
        connection.sendall(head.encode())

        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_how_long_it_is_is_counted(standing):
    chunk = b" " * 65_536
    endless = (chunk for _ in range(MOST_BYTES // len(chunk) + 1))

    answer = standing.post("/crawls", headers=JSON, content=endless)

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_addresses_and_methods_that_are_not_there_are_problems(standing):
    missing, wrong = standing.get("/nowhere"), standing.put("/crawls")

    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    assert (wrong.status_code, wrong.json()["title"]) == (405, "Method Not Allowed")
    assert wrong.headers["allow"] == "GET, POST"
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_what_nobody_foresaw_is_logged_and_says_nothing_to_the_client(api, bus, caplog):
    await bus.redis.lpush(bus.keys.asked(hashlib.sha256(b"k").hexdigest()), "not a string")

    answer = await api.post("/crawls", json={"seeds": ["http://127.0.0.1:9/"]}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 500
    assert answer.json()["detail"] == "something went wrong here; the server's log says what"
    assert "default-src" in answer.headers["content-security-policy"]
    assert "WRONGTYPE" in caplog.text


async def test_without_the_token_nothing_is_told_or_done(settings):
    async with client_of(msgspec.structs.replace(settings, api_token=TOKEN)) as client:
        for wrong in ({}, {"authorization": "Bearer nope"}, {"authorization": TOKEN}, {"cookie": f"{COOKIE}={TOKEN}"}):
            for answer in (
                await client.get("/crawls", headers=wrong),
                await client.post("/crawls", headers=wrong, content=b"{"),
                await client.get("/openapi.json", headers=wrong),
                await client.get("/nowhere", headers=wrong),
                await client.get("/metrics", headers=wrong),
            ):
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        for path in ("/healthz", "/readyz", "/session", "/static/nothing"):
            assert (await client.get(path)).status_code in (200, 404)
        assert (await client.get("/session")).json() == {"required": True, "ok": False}
        assert (await client.get("/crawls", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200


async def test_a_browser_shows_the_token_once_and_then_a_cookie_that_does_not_hold_it(settings):
    async with client_of(msgspec.structs.replace(settings, api_token=TOKEN)) as client:
        assert (await client.post("/session", json={"token": "nope"})).status_code == 401
        answer = await client.post("/session", json={"token": TOKEN})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 204
        assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
        assert TOKEN not in cookie
        assert (await client.get("/crawls")).status_code == 200
        assert (await client.get("/session")).json() == {"required": True, "ok": True}

        await client.delete("/session")
        assert (await client.get("/crawls")).status_code == 401


def test_where_no_token_is_set_none_is_asked_for(standing):
    assert standing.get("/session").json() == {"required": False, "ok": True}
    assert standing.post("/session", json={"token": "any"}).status_code == 204


def test_a_token_is_compared_whole_whatever_it_is_made_of():
    assert is_token(TOKEN, TOKEN)
    for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é" * 20, "\udcff"):
        assert not is_token(TOKEN, wrong)
    assert session_of(TOKEN) != session_of(TOKEN + "x")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "crawler.example"])
def test_an_address_that_others_reach_takes_a_token(host):
    with pytest.raises(Refused, match="PENSTOCK_API_TOKEN"):
        make_app(Settings(api_host=host))
    make_app(Settings(api_host=host, api_token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_on_loopback_it_takes_none(host):
    make_app(Settings(api_host=host))


@pytest.mark.parametrize("token", ["two words", "é", "line\n"])
def test_a_token_that_no_header_can_hold_is_refused(token):
    with pytest.raises(Refused, match="ASCII"):
        make_app(Settings(api_token=token))


async def test_a_client_that_sends_nonsense_harms_nobody(api):
    host, port = api.base_url.host, api.base_url.port
    for nonsense in (b"\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01", b"GET /" + b"x" * 100_000):
        reader, writer = await asyncio.open_connection(host, port, family=socket.AF_INET)
        writer.write(nonsense)
        writer.write_eof()
        assert b"Traceback" not in await reader.read()
        writer.close()

    assert (await api.get("/healthz")).status_code == 200
