"""The commands of deploy/redis/README.md, pasted into a shell beside a server."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from redis import Redis

from tests.deploy.files import ROOT
from tests.servers.starting import HOST, Server, started

FOLDER = ROOT / "deploy" / "redis"
#: A program that notes its words, which every user of the machine may see, and does as the real one.
NOTING = """#!/bin/sh
echo "$@" >> {seen}
exec {program} "$@"
"""
PROGRAMS = ("redis-cli", "cut", "sed", "printf")


async def test_a_user_is_made_by_the_command_and_no_list_of_processes_shows_the_password(tmp_path: Path) -> None:
    if shutil.which("redis-cli") is None:
        pytest.skip("no redis-cli on PATH")
    [block, _] = re.findall(r"```sh\n(.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    users, seen = tmp_path / "users.acl", tmp_path / "seen"
    users.touch()
    async with started(Server(tmp_path / "data", "--aclfile", str(users))) as server:
        for name in PROGRAMS:
            _noting(tmp_path / name, seen, port=server.port)
        environment = {"PASSWORD": "word0", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        said = await asyncio.to_thread(
            subprocess.check_output, ["sh", "-eu", "-c", block], cwd=FOLDER, env=environment, text=True
        )
        with Redis(host=HOST, port=server.port, username="penstock", password="word0") as client:
            assert client.ping()

    assert said.split() == ["OK", "OK"]
    assert "user penstock on " in users.read_text()
    assert "resetpass" in seen.read_text()
    assert "word0" not in seen.read_text()


def _noting(path: Path, seen: Path, *, port: int) -> None:
    program = shutil.which(path.name)
    path.write_text(NOTING.format(seen=seen, program=f"{program} -p {port}" if path.name == "redis-cli" else program))
    path.chmod(0o755)
