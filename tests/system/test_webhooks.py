"""`penstock crawl --webhook`: a program is told when the crawl begins and when all of it can be asked for."""

from __future__ import annotations

from pathlib import Path

from contract.bus import Bus, Consumer, publish
from contract.bus.groups import ensure_groups
from contract.settings import Settings
from contract.topology import NOTIFY
from penstock.cluster import one_machine
from penstock.site import SiteOptions, running_site
from tests.notify.receivers import SECRET, receiving
from tests.notify.test_posting import started
from tests.system.commands import penstock

FAST = ("--delay", "0", "--per-host", "16", "--allow-private", "--progress", "none")


async def test_a_crawls_webhook_is_told_of_its_beginning_and_of_its_end(tmp_path: Path) -> None:
    async with running_site(SiteOptions(pages=20)) as site, receiving() as receiver:
        words = ("crawl", site.root_url, *FAST, "--data", str(tmp_path), "--webhook", receiver.url, "--json")
        done = await penstock(*words, PENSTOCK_WEBHOOK_SECRET=SECRET)
    assert done.status == 0, done
    assert receiver.told == [("crawl.started", 1), ("crawl.finished", 2)]
    assert all(post.is_signed_by(SECRET) for post in receiver.posts)
    end = receiver.posts[-1].event
    assert end["crawl"] == done.json["crawl"]
    assert {name: end["data"][name] for name in ("fetched", "failed", "excluded")} == {
        name: done.json[name] for name in ("fetched", "failed", "excluded")
    }
    logs = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.log"))
    assert "has taken crawl.finished" in logs
    assert "hunter2" not in logs + done.err
    assert SECRET not in logs + done.err


async def test_an_event_that_was_given_up_is_posted_by_dead_retry(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    async with receiving() as receiver:
        async with (
            one_machine(Settings(data=str(tmp_path)), commands=()) as cluster,
            Bus.open(cluster.settings.redis_url) as bus,
        ):
            await ensure_groups(bus)
            await publish(bus, started(receiver.url))
            async with Consumer(bus, NOTIFY) as consumer:
                [delivery] = await consumer.take(1)
                await consumer.bury(delivery, "it was away")
        words = ("dead", "retry", "--all", "--stage", "penstock.notify", *data)
        done = await penstock(*words, PENSTOCK_ALLOW_PRIVATE="1")
    assert done.status == 0, done
    assert receiver.told == [("crawl.started", 1)]


async def test_a_webhook_that_cannot_be_is_refused_before_anything_starts(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path / "data"))
    for url in ("ftp://example.com/hunter2", "https://me:hunter2@example.com/", "http://127.0.0.1:9/hunter2"):
        done = await penstock("crawl", "http://127.0.0.1:1/", *data, "--webhook", url)
        assert (done.status, len(done.err.splitlines()), "hunter2" in done.err) == (2, 1, False), done
        assert "webhook" in done.err or "http://127.0.0.1:9 is a private address" in done.err
    assert not (tmp_path / "data").exists()


async def test_a_recorder_with_a_secret_that_is_none_says_so_in_one_line(redis_url: str, tmp_path: Path) -> None:
    words = {
        "PENSTOCK_REDIS_URL": redis_url,
        "PENSTOCK_DATA": str(tmp_path),
        "PENSTOCK_WEBHOOK_SECRET": "whsec_!hunter2",
    }
    done = await penstock("record", **words)

    assert done.status == 2, done
    assert done.err.splitlines()[-1].startswith("penstock: wrong setting: webhook_secret")
    assert ("Traceback" in done.err, "hunter2" in done.err) == (False, False), done
