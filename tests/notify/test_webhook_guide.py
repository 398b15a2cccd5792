"""What docs/webhooks.md shows works as it stands there."""

import asyncio
import contextlib
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from contract.bus import publish
from penstock.notify import Limits
from penstock.webhooks import answers, sender
from tests.builders import CRAWL
from tests.notify.receivers import SECRET, notifying, settings_for, through
from tests.notify.test_posting import started

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "webhooks.md").read_text("utf-8")


@contextlib.contextmanager
def the_guides_receiver() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program of the guide on a free port, once it listens; its process and its URL."""
    [program] = re.findall(r"```python\n(.*?)```", GUIDE, re.S)
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", program.replace("9000", str(port))],
        env={**os.environ, "PENSTOCK_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.communicate()


async def test_the_guides_receiver_prints_what_is_signed_and_refuses_what_is_not(bus, tmp_path):
    patient = Limits(schedule=answers.Schedule(attempts=100, first_seconds=0.001))
    with the_guides_receiver() as (process, url):
        async with notifying(bus, settings_for(bus, tmp_path), patient):
            await publish(bus, started(url))
            line = await asyncio.to_thread(process.stdout.readline)
            await through(bus)
        async with aiohttp.ClientSession() as session:
            for signature in ({}, {"webhook-signature": "v1,AAAA", "webhook-id": "x", "webhook-timestamp": "1"}):
                async with session.post(url, data=b"{}", headers=signature) as refused:
                    assert refused.status == 401

    assert line.startswith(f"crawl.started {CRAWL} ")


def test_the_guides_numbers_are_the_code_s():
    schedule = answers.Schedule()

    assert f"{schedule.attempts} attempts over about ten minutes" in GUIDE
    assert f"is {schedule.first_seconds / 2:.0f} to {schedule.first_seconds:.0f} seconds and doubles" in GUIDE
    assert f"begin within {sender.DEADLINE_SECONDS:.0f} seconds" in GUIDE
    posts = f"at\nmost {sender.POSTS_A_RECEIVER} posts are on their way to one, and {sender.POSTS_AT_ONCE} in all"
    assert posts in GUIDE
