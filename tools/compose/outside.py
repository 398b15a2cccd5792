"""The world outside the containers: a port that the host publishes, and sites on loopback that containers can reach.

The simulated web listens on 127.1.x.y. Each container has a loopback of its own, so these addresses are routed to the
one namespace that serves them, as addresses of the internet would be; 127.0.0.1 stays at home.
"""

import socket
import subprocess
import sys

from contract.lifetime import die_with_parent
from tools.compose.images import ROOT
from tools.compose.rooms import Room
from tools.compose.wires import inside, ip

#: Where the simulated web is.
_WEB, _HOME = "127.1.0.0/16", "127.0.0.0/16"
_NETWORK = "outside"


def loopback_travels(room: Room) -> None:
    """Let packets from and to loopback addresses pass the interfaces of this namespace."""
    # Source: Linux' ip-sysctl, route_localnet.
    inside(room.pid, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"])


def way_to(stranger: Room, room: Room) -> None:
    """Let a container find the simulated web where the stranger serves it."""
    loopback_travels(room)
    device = f"eth{list(room.addresses).index(_NETWORK)}"
    source, via = room.addresses[_NETWORK], stranger.addresses[_NETWORK]
    ip(
        room.pid,
        [
            f"route add local {_HOME} dev lo table local src 127.0.0.1",
            "route del local 127.0.0.0/8 dev lo table local",
            f"route add {_WEB} via {via} dev {device} src {source}",
        ],
    )


def publish(room: Room, target: int, *, host: str, port: int) -> tuple["subprocess.Popen[bytes]", tuple[str, int]]:
    """Publish a port of a container at an address of the host; gives the process that forwards, and the address."""
    words = ["nsenter", f"--target={room.pid}", "--net", sys.executable, "-m", "tools.compose.forward"]
    with socket.create_server((host, port)) as listening:
        number, place = listening.fileno(), listening.getsockname()
        process = subprocess.Popen(
            [*words, str(number), room.addresses[_NETWORK], str(target)],
            pass_fds=[number],
            cwd=ROOT,
            preexec_fn=die_with_parent,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
    return process, place
