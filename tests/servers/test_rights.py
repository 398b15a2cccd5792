"""What our user may do on a server that is shared: what a crawl needs, below its own prefix, and nothing else."""

import asyncio
import re
from pathlib import Path

import pytest
from redis.exceptions import NoPermissionError

from contract.bus import Bus
from contract.bus.guards import check_server
from contract.bus.rights import commands, lacking, rule
from contract.errors import Refused, UnsafeServer
from penstock.site import SiteOptions, running_site
from tests.servers.crawls import cluster, crawl, is_whole
from tests.servers.starting import HOST, Server, client_of, started

FILE = Path(__file__).parents[2] / "deploy" / "redis" / "users.acl"


def let_in(server, user, *rules):
    """Let a user in who has these rights; returns the address by which it comes."""
    with client_of(server) as admin:
        admin.execute_command("ACL", "SETUSER", user, "on", ">secret", *rules)
    return f"redis://{user}:secret@{HOST}:{server.port}/0"


def test_the_file_for_operators_holds_the_rule_and_no_password():
    assert FILE.read_text() == f"user penstock on resetpass {rule()}\n"


async def test_the_file_is_one_that_a_server_starts_with(tmp_path):
    async with started(Server(tmp_path, "--aclfile", str(FILE))) as server:
        with client_of(server) as admin:
            assert admin.acl_getuser("penstock")["keys"] == ["~penstock:*"]


async def test_two_clusters_share_a_server_each_below_its_prefix_with_the_least_rights(tmp_path):
    async with started(Server(tmp_path / "s")) as server, running_site(SiteOptions(pages=25, latency_ms=5)) as site:
        urls = {name: let_in(server, name, *rule(name).split()) for name in ("one", "two")}
        async with (
            cluster(urls["one"], tmp_path / "one", prefix="one") as one,
            cluster(urls["two"], tmp_path / "two", prefix="two") as two,
        ):
            both = await asyncio.gather(crawl(site, one, "--delay", "0.02"), crawl(site, two, "--delay", "0.02"))
        with client_of(server) as admin:
            keys, refused = admin.keys(), admin.acl_log()

    for done in both:
        is_whole(site, done)
    assert {key.partition(":")[0] for key in keys} == {"one", "two"}
    assert any(":celery:" in key for key in keys)
    # With ACL LOG empty, nobody has named a key or a channel that is not its own either.
    assert refused == []


@pytest.fixture
async def server(tmp_path):
    """A server with users."""
    async with started(Server(tmp_path, "--enable-debug-command", "yes")) as running:
        yield running


@pytest.mark.parametrize(
    "command",
    [
        *("FLUSHALL", "FLUSHDB", "CONFIG GET maxmemory", "CONFIG SET maxmemory 1", "KEYS *", "SCAN 0", "RANDOMKEY"),
        *("DEBUG SLEEP 0", "SCRIPT FLUSH", "EVAL x 0", "SHUTDOWN", "ACL LIST", "CLIENT LIST", "MONITOR", "SAVE"),
        *("GET other:key", "SET penstock x", "XADD other:s * a b", "PUBLISH other:channel x", "SUBSCRIBE other:c"),
        *("REPLICAOF NO ONE", "SWAPDB 0 1", "FUNCTION LIST", "CLUSTER INFO"),
    ],
)
async def test_what_a_crawl_does_not_need_is_refused(server, command):
    async with Bus.open(let_in(server, "penstock", *rule().split())) as bus:
        with pytest.raises(NoPermissionError):
            await bus.redis.execute_command(*command.split())


async def test_a_user_of_the_rule_lacks_nothing_and_asking_changes_nothing(server):
    async with Bus.open(let_in(server, "penstock", *rule().split())) as bus:
        assert await lacking(bus) == []
    with client_of(server) as admin:
        assert admin.keys() == []


async def test_what_a_user_lacks_is_named(server):
    url = let_in(server, "penstock", *rule().split(), "-xadd", "-xgroup|create", "-info")
    async with Bus.open(url) as bus:
        assert await lacking(bus) == ["info", "xadd", "xgroup|create"]
    async with Bus.open(url, prefix="other") as bus:
        assert {"get", "publish", "xlen"} <= set(await lacking(bus))


async def test_a_user_who_may_not_ask_is_warned_once_and_goes_on(server, caplog):
    async with Bus.open(let_in(server, "penstock", *rule().split(), "-info")) as bus:
        await check_server(bus)

    assert len(caplog.records) == 1
    assert "may not ask for INFO" in caplog.text


async def test_a_user_who_may_ask_hears_of_eviction_without_config(server):
    with client_of(server) as admin:
        admin.config_set("maxmemory-policy", "allkeys-lru")
    async with Bus.open(let_in(server, "penstock", *rule().split())) as bus:
        with pytest.raises(UnsafeServer, match="maxmemory-policy allkeys-lru"):
            await check_server(bus)


async def test_a_wrong_password_is_one_line_at_once_and_not_waited_for(server):
    url = let_in(server, "penstock", *rule().split()).replace("secret", "s3cret")
    async with Bus.open(url) as bus:
        with pytest.raises(Refused, match="Redis does not let us in") as error:
            await bus.redis.ping()
    assert "s3cret" not in str(error.value)


def test_every_command_of_our_scripts_is_in_the_rule():
    root, said = Path(__file__).parents[2], set[tuple[str, str]]()
    for script in (path for package in ("contract", "scheduler") for path in (root / package).rglob("*.lua")):
        said |= set(re.findall(r"redis\.p?call\('(\w+)'(?:, '(\w+)')?", script.read_text()))

    assert len(said) > 40
    assert {name.lower() for name, _ in said} <= {name.partition("|")[0] for name in commands()}
    assert {f"{name}|{part}".lower() for name, part in said if name in ("XGROUP", "XINFO")} <= set(commands())


def test_the_rule_has_no_dangerous_command_but_the_one_that_only_tells():
    dangerous = {
        "config",
        "debug",
        "flushall",
        "flushdb",
        "keys",
        "monitor",
        "save",
        "shutdown",
        "eval",
        "script|flush",
    }
    assert not dangerous & set(commands())
    assert "info" in commands()
