"""The socket that the API is answered on. Light to import: it is had before anything else is started."""

from __future__ import annotations

import errno
import socket

from contract.errors import Refused
from contract.settings import Settings

#: Connections that wait to be taken.
_BACKLOG = 256


def listen(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say; raises `Refused` where that cannot be."""
    host, port = settings.api_host, settings.api_port
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        why = "the port is in use" if getattr(error, "errno", 0) == errno.EADDRINUSE else error
        raise Refused(f"cannot listen on {host} port {port}: {why}; choose another with --port") from None
    listening.setblocking(False)
    return listening


def handed_over(descriptor: int) -> socket.socket:
    """The socket that whoever started this process listens with."""
    listening = socket.socket(fileno=descriptor)
    listening.setblocking(False)
    return listening


def address_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"
