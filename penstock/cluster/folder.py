"""The data folder: checked before anything starts, locked by the one cluster that works in it.

Owns `cluster.lock` (held by flock for as long as the cluster lives) and `cluster.json` (how to reach it, without any
password). What is made there is its owner's alone: folders 0700, files 0600.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO

import msgspec

from contract.errors import Refused
from contract.private import PRIVATE_MODE, keep_private

#: A Unix socket's path may not be longer (104 on macOS, 108 on Linux, with a byte at the end).
_LONGEST_SOCKET_PATH = 100


class Address(msgspec.Struct, frozen=True):
    """How to reach the cluster of a folder; a password in the database's address is stars."""

    redis_url: str
    database_url: str
    prefix: str
    pid: int
    server_pid: int = 0
    allow_private: bool = False


class DataFolder:
    """One data folder; raises `Refused` where it cannot be made or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[str] | None = None

    def prepare(self) -> None:
        """Make the folder and what lies in it, and see that it can be written; what this process makes is private."""
        keep_private()
        try:
            if not any(self.path.iterdir()):
                self.path.chmod(PRIVATE_MODE)  # an empty one has nothing that is meant for somebody else
        except OSError:
            pass  # there is none yet, or it cannot be written, which is said below
        try:
            for name in ("", "archive", "logs", "redis"):
                (self.path / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            why = "it is a file, not a folder" if self.path.is_file() else error.strerror or error
            raise Refused(f"cannot write the data folder {self.path}: {why}; choose another with --data") from None

    def lock(self) -> bool:
        """Take the folder for this process's cluster; False where another has it. Raises `Refused` where nobody may."""
        try:
            file = open(self._lock_file, "w")  # noqa: SIM115 - held until unlock
        except OSError as error:
            raise Refused(
                f"cannot write the data folder {self.path}: {error.strerror or error}: {self._lock_file.name}; "
                "choose another with --data"
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def unlock(self) -> None:
        """Let another process have the folder."""
        self._address_file.unlink(missing_ok=True)
        if self._lock:
            self._lock.close()
            self._lock = None

    def is_locked(self) -> bool:
        """Whether some process's cluster works in this folder; writes nothing, for a reader may not be allowed to."""
        try:
            file = open(self._lock_file)  # noqa: SIM115 - closed below
        except OSError:
            return False  # none, or one of somebody whose cluster cannot be joined either
        with file:
            try:
                # Shared, so that two who look at once do not take one another for a cluster.
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def write_address(self, address: Address) -> None:
        """Say how the cluster can be reached; in one step, so that nobody reads half of it."""
        draft = self._address_file.with_suffix(".tmp")
        draft.write_bytes(msgspec.json.encode(address))
        draft.replace(self._address_file)

    def read_address(self) -> Address | None:
        """How the folder's cluster was reached last, or None where there is none."""
        try:
            return msgspec.json.decode(self._address_file.read_bytes(), type=Address)
        except (OSError, msgspec.MsgspecError):
            return None

    @property
    def socket(self) -> Path:
        """The embedded server's socket: in the folder, or in a private one where that path is too long."""
        path = self.path / "redis" / "redis.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        word = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        private = Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}-{word}"
        private.mkdir(mode=0o700, exist_ok=True)
        if private.stat().st_uid != os.getuid():
            raise Refused(f"{private} belongs to somebody else; remove it, or choose a data folder with a shorter path")
        return private / "redis.sock"

    @property
    def _lock_file(self) -> Path:
        return self.path / "cluster.lock"

    @property
    def _address_file(self) -> Path:
        return self.path / "cluster.json"
