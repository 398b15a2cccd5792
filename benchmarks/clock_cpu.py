"""What it costs a script to go by our own time (contract/bus/clock.lua) instead of the server's clock.

    python -m benchmarks.clock_cpu [--calls 100000]

Each script is called so often on a server of its own, whose CPU is counted; the best of five rounds in turns.
"""

import argparse
import tempfile
from pathlib import Path

from redis import Redis

from contract.bus.scripts import Script
from tests.conftest import start_redis

ROUNDS, AT_ONCE = 5, 500
CLOCK = Script("contract.bus", "clock.lua").text
SCRIPTS = {
    "nothing": "return 1",
    "the server's clock": "local time = redis.call('TIME') return time[1] * 1000 + math.floor(time[2] / 1000)",
    "our own time": CLOCK + "\nreturn clock(KEYS[1])",
    "library, not asked": CLOCK + "\nreturn 1",
}


def main() -> None:
    """Measure, and print microseconds of the server's CPU a call."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder, start_redis(Path(folder)) as url, Redis.from_url(url) as server:
        shas = {name: str(server.script_load(text)) for name, text in SCRIPTS.items()}
        rounds = [{name: _cost(server, sha, calls) for name, sha in shas.items()} for _ in range(ROUNDS)]
    for name in SCRIPTS:
        print(f"{name:20} {min(each[name] for each in rounds):6.2f} µs a call")


def _cost(server: Redis, sha: str, calls: int) -> float:
    before = _cpu_seconds(server)
    for _ in range(calls // AT_ONCE):
        pipeline = server.pipeline(transaction=False)
        for _ in range(AT_ONCE):
            pipeline.evalsha(sha, 1, "clock")
        pipeline.execute()
    return (_cpu_seconds(server) - before) / (calls // AT_ONCE * AT_ONCE) * 1e6


def _cpu_seconds(server: Redis) -> float:
    cpu = server.info("cpu")
    return float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"])


if __name__ == "__main__":
    main()
