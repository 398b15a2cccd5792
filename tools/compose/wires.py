"""Networks: a bridge for each, all in one network namespace that holds nothing else; the host's own is not touched.

A container has an interface for each of its networks, and the same last number in all their addresses. Namespaces are
held by processes, so that they go when those go.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from contract.lifetime import die_with_parent

#: Addresses of the networks: the third number is the network's, the last one the container's.
SUBNET = "10.213.{network}.{host}"
_START_SECONDS = 10.0


class Switch:
    """The bridges of a project."""

    def __init__(self, networks: Mapping[str, bool]) -> None:
        self.networks = tuple(networks)
        self.process = subprocess.Popen(
            ["unshare", "--net", "--fork", "--kill-child", "sleep", "infinity"],
            preexec_fn=die_with_parent,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        self.pid = child_of(self.process)
        for number in range(len(self.networks)):
            self._ip(f"link add br{number} type bridge", f"link set br{number} up")

    def address(self, network: str, host: int) -> str:
        """The address of a container in a network."""
        return SUBNET.format(network=self.networks.index(network), host=host)

    def plug_in(self, pid: int, networks: Sequence[str], *, host: int) -> None:
        """Give the namespace of a process an interface for each of these networks."""
        ip(pid, ["link set lo up"])
        for number, network in enumerate(networks):
            wire = f"v{host}n{number}"
            self._ip(
                f"link add {wire} type veth peer name eth{number} netns {pid}",
                f"link set {wire} master br{self.networks.index(network)}",
                f"link set {wire} up",
            )
            ip(pid, [f"address add {self.address(network, host)}/24 dev eth{number}", f"link set eth{number} up"])

    def _ip(self, *lines: str) -> None:
        ip(self.pid, lines)

    def close(self) -> None:
        """Take the bridges away."""
        self.process.kill()
        self.process.wait()


def ip(pid: int, lines: Iterable[str]) -> None:
    """Run commands of `ip` in the network namespace of a process."""
    inside(pid, ["ip", "-batch", "-"], text="\n".join(lines))


def inside(pid: int, command: Sequence[str], *, text: str = "") -> str:
    """Run a command in the network namespace of a process; gives what it printed."""
    words = ["nsenter", "--target", str(pid), "--net", *command]
    done = subprocess.run(words, input=text, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()} ({text})")
    return done.stdout


def child_of(process: "subprocess.Popen[bytes]") -> int:
    """The process that `unshare --fork` has started: by then its namespaces are there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.002)
    raise RuntimeError(f"{process.args} ended with {process.returncode}")


def can_make_namespaces() -> bool:
    """Whether this process may make network namespaces and mounts, and finds the programs for it."""
    if os.name != "posix" or os.geteuid() != 0:
        return False
    try:
        words = ["unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "setpriv", "--clear-groups"]
        done = subprocess.run([*words, "ip", "link", "add", "br0", "type", "bridge"], capture_output=True)
    except OSError:
        return False
    return done.returncode == 0
