"""When bytes really came and went, however late this program is told: sockets that ask the kernel.

A listener takes connections whose `came_ns` is the kernel's own stamp of the last bytes that were read, and whose
`went_ns` is taken right before the last bytes were written. An event loop that had to wait for the CPU reads one
request late and the next one in time, and by its own clock the two come too close. On loopback the kernel's stamp is
taken within the sender's system call (SO_TIMESTAMPNS, socket(7); for TCP since Linux 4.14). Where there is none, the
stamp is when the bytes were read.
"""

import contextlib
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any
from weakref import WeakValueDictionary

#: SO_TIMESTAMPNS_NEW of Linux' asm-generic/socket.h: two 64-bit numbers on every machine.
_TIMESTAMP = 64
_STAMP = struct.Struct("qq")
_ROOM = socket.CMSG_SPACE(_STAMP.size)
#: Two clocks that are read within this time of each other are read at once.
_AT_ONCE_NS, _MOST_TRIES = 50_000, 20


class StampedSocket(socket.socket):
    """A connection; times are monotonic nanoseconds."""

    came_ns = went_ns = 0

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Read, and note when what was read had come."""
        data, notes, _, _ = self.recvmsg(bufsize, _ROOM, flags)
        self.came_ns = _stamp(notes)
        return data

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Write, and note when: before, since whoever reads it may go on before the call returns."""
        self.went_ns = time.monotonic_ns()
        return super().send(data, flags)

    def sendmsg(self, buffers: Iterable[Any], /, *rest: Any) -> int:
        """Write several pieces, and note when."""
        self.went_ns = time.monotonic_ns()
        return super().sendmsg(buffers, *rest)


class StampingListener(socket.socket):
    """A listener whose connections are stamped."""

    @classmethod
    def of(cls, listener: socket.socket) -> "StampingListener":
        """The same listener; what comes on a connection is stamped also before that is accepted."""
        stamping = cls(listener.family, listener.type, listener.proto, fileno=listener.detach())
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                stamping.setsockopt(socket.SOL_SOCKET, _TIMESTAMP, 1)
        return stamping

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection, and its address."""
        accepted, address = super().accept()
        stamped = StampedSocket(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        _open[stamped.fileno()] = stamped
        return stamped, address


#: By file number, which is all that asyncio shows of a socket.
_open: WeakValueDictionary[int, StampedSocket] = WeakValueDictionary()


def stamped(transport_socket: Any) -> StampedSocket:
    """The socket behind a transport's; it came from a listener of ours."""
    return _open[transport_socket.fileno()]


def _stamp(notes: list[Any]) -> int:
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, _TIMESTAMP):
            seconds, nanoseconds = _STAMP.unpack(data[: _STAMP.size])
            return time.monotonic_ns() if seconds == 0 else _monotonic_ns(seconds * 1_000_000_000 + nanoseconds)
    return time.monotonic_ns()


def _monotonic_ns(unix_ns: int) -> int:
    """A time by the monotonic clock."""
    for _ in range(_MOST_TRIES):
        before, unix, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after - before <= _AT_ONCE_NS:
            break
    return before - (unix - unix_ns)
