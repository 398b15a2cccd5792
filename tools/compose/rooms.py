"""A container: namespaces for network, mounts, host name, processes; one process as number 1, with its log in a file.

Lifetime: from `Room(...)`, which makes the namespaces, over `begin`, which lets the service start once its network is
there, until `stop`. It dies with the process that made it.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from contract.lifetime import die_with_parent
from tools.compose.wires import child_of

_NAMESPACES = ("--net", "--mount", "--uts", "--ipc", "--pid")


@dataclass(frozen=True)
class Ended:
    """How a container ended: after how long, with which status (negative: by a signal), and whether by force."""

    seconds: float
    status: int
    killed: bool


class Room:
    """One container; `script` is what its first process runs, and `environment` all that it is given."""

    def __init__(
        self,
        name: str,
        script: str,
        *,
        environment: Mapping[str, str],
        log: Path,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name, self.environment, self.log, self._stop_signal = name, dict(environment), log, stop_signal
        #: Its addresses by network; filled in by who plugs it in.
        self.addresses: dict[str, str] = {}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                ["/usr/bin/unshare", *_NAMESPACES, "--fork", "--kill-child", "/bin/sh", "-c", script],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                preexec_fn=die_with_parent,
                start_new_session=True,  # so that Ctrl-C reaches us alone
                cwd="/",
            )
        self.pid = child_of(self.process)

    def __repr__(self) -> str:
        return f"<Room {self.name} {self.process.poll()}>"

    def begin(self) -> None:
        """Let the service start."""
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        self.process.stdin.close()

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process.poll() is None

    def run(self, command: Sequence[str], *, seconds: float) -> bool:
        """Run a command beside the service, as `docker exec` does; whether it ended well in time."""
        words = ["/usr/bin/nsenter", f"--target={self.pid}", "--net", "--mount", "--uts", "--ipc", "--pid", "--root"]
        try:
            done = subprocess.run(
                [*words, *command], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def stop(self, *, grace_seconds: float) -> Ended:
        """End it as `docker stop` does: its stop signal, and SIGKILL for what is still there after its grace."""
        began, killed = time.monotonic(), False
        self._signal(self._stop_signal)
        try:
            self.process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            killed = True
            self.kill()
        return Ended(time.monotonic() - began, self.process.returncode, killed)

    def kill(self) -> None:
        """End every process in it at once."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running:
            os.kill(self.pid, number)

    def words(self) -> str:
        """What it has logged."""
        return self.log.read_text("utf-8", "replace")

    def listens(self) -> set[tuple[str, int]]:
        """Where processes in it wait for connections: addresses and ports."""
        return listening(self.pid)

    def pids(self) -> Iterator[int]:
        """Every process in it."""
        own = _namespace(self.pid)
        for each in Path("/proc").glob("[0-9]*"):
            if own and _namespace(int(each.name)) == own:
                yield int(each.name)

    def memory_bytes(self) -> int:
        """Memory of all its processes; what they share is counted once."""
        return sum(_proportional_bytes(pid) for pid in self.pids())


def listening(pid: int | str = "self") -> set[tuple[str, int]]:
    """Addresses and ports on which anybody listens in the network namespace of a process."""
    return {place for name in ("tcp", "tcp6") for place in _listening(Path(f"/proc/{pid}/net/{name}").read_text())}


def _listening(table: str) -> Iterator[tuple[str, int]]:
    # Source: proc(5). Each 32 bits of an address are in the machine's order; state 0A is LISTEN.
    for line in table.splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        if state == "0A":
            words, port = local.split(":")
            turned = b"".join(bytes.fromhex(word)[::-1] for word in re.findall("." * 8, words))
            yield str(ip_address(turned)), int(port, 16)


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def _proportional_bytes(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
