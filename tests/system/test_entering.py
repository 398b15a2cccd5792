"""Every stage comes to the same Redis in the same way: it waits for what passes, and says in one line what does not."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.system.commands import penstock, running, until

STAGES = ("scheduler", "worker", "parse", "record")


@pytest.fixture
def narrow(redis_url: str) -> Iterator[str]:
    """The address of a server, up to the user's password, which is sesame; he has most rights but not all."""
    with Redis.from_url(redis_url) as redis:
        redis.execute_command("ACL", "SETUSER", "narrow", "on", ">sesame", "~*", "&*", "+@all", "-evalsha")
        yield redis_url.replace("unix://", "unix://narrow:")
        redis.execute_command("ACL", "DELUSER", "narrow")


@pytest.mark.parametrize("stage", STAGES)
async def test_a_wrong_password_is_one_line(stage: str, narrow: str, tmp_path: Path) -> None:
    url = narrow.replace("narrow:", "narrow:wrong@")
    done = await penstock(stage, PENSTOCK_REDIS_URL=url, PENSTOCK_DATA=str(tmp_path))
    assert done.status == 2, done
    assert "Redis does not let us in" in done.err
    assert "Traceback" not in done.err
    assert "wrong@" not in done.err


async def test_rights_that_are_missed_later_are_one_line_too(narrow: str, tmp_path: Path) -> None:
    url = narrow.replace("narrow:", "narrow:sesame@")
    done = await penstock("record", PENSTOCK_REDIS_URL=url, PENSTOCK_DATA=str(tmp_path))
    assert done.status == 2, done
    assert "this user of Redis may not do all that is needed" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("stage", ["worker", "record"])
async def test_a_server_that_is_away_is_waited_for_until_asked_to_stop(stage: str, tmp_path: Path) -> None:
    settings = {"PENSTOCK_REDIS_URL": f"unix://{tmp_path}/r.sock", "PENSTOCK_DATA": str(tmp_path)}
    log = tmp_path / "log"
    async with running(stage, log=log, **settings) as process:
        await until(lambda: "waiting for Redis" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
    assert "Traceback" not in log.read_text()
