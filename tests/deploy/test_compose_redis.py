"""The file's Redis, by its own command, in a namespace of its own."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.deploy.files import SECRETS
from tools.compose.rooms import Room, listening
from tools.compose.runner import Runner
from tools.compose.wires import inside

PASSWORD = SECRETS["REDIS_PASSWORD"]


def ask(room: Room, expression: str) -> str:
    """The value of an expression of a client `r` inside the room's network."""
    code = f"import redis; r = redis.Redis(password={PASSWORD!r}, decode_responses=True); print({expression})"
    return inside(room.pid, [sys.executable, "-c", code]).strip()


def ports(places: set[tuple[str, int]]) -> set[int]:
    """The ports alone."""
    return {port for _, port in places}


def test_redis_runs_as_the_file_says_and_what_it_holds_outlives_it(start: Callable[..., Runner]) -> None:
    before = ports(listening())
    runner = start("redis")
    runner.up()
    [room] = runner.rooms["redis"]

    assert ask(room, "r.config_get('maxmemory*')['maxmemory-policy']") == "noeviction"
    assert ask(room, "r.config_get('appendonly')['appendonly']") == "yes"
    assert all(PASSWORD not in Path(f"/proc/{pid}/cmdline").read_text() for pid in room.pids())
    assert ports(room.listens()) == {6379}
    assert 6379 not in ports(listening()) - before, "the host listens nowhere for it"
    ask(room, "r.set('kept', 'yes')")
    ended = runner.stop("redis")
    assert (ended.killed, ended.status) == (False, 0)
    runner.up()
    assert ask(runner.rooms["redis"][0], "r.get('kept')") == "yes"


def test_a_container_has_its_users_rights_a_root_that_it_cannot_write_and_a_volume(
    start: Callable[..., Runner],
) -> None:
    runner = start("redis")
    runner.up()
    [room] = runner.rooms["redis"]
    confined = ["setpriv", "--reuid=999", "--regid=999", "--clear-groups", "sh", "-c"]

    assert not room.run([*confined, "touch /x 2>/dev/null || touch /usr/x"], seconds=5)
    assert room.run([*confined, "touch /data/x && touch /tmp/x"], seconds=5)
    assert room.run([*confined, "test $(hostname) = redis-1 && grep -q 'redis$' /etc/hosts"], seconds=5)
    lines = Path(f"/proc/{room.pid}/status").read_text().splitlines()
    said = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert said["Uid"].split() == ["999"] * 4
    assert {said[name].strip() for name in ("CapPrm", "CapEff", "CapBnd")} == {"0" * 16}
    assert said["NoNewPrivs"].strip() == "1"
