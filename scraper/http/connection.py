"""A connection to a host, which can say whether it is still fit for the next request.

Takes what aiohttp's connector and response tell it; owns the socket. HTTP/1.1 has no numbers: what arrives is taken for
the answer to whatever was asked last. So anything that comes while nobody asked, or the host's wish to close, ends a
connection, or a page would be stored under the URL of the next one, and so on.
"""

import select

from aiohttp.client_proto import ResponseHandler


class StaleConnection(Exception):
    """Raised instead of sending a request on a connection that is not fit for it; nothing was sent."""


class Connection(ResponseHandler):
    """aiohttp's connection, which closes at the first byte that nobody asked for."""

    #: Whether a request has been sent on it.
    used = False
    _idle = False

    def __repr__(self) -> str:
        state = "closed" if not self.is_connected() else "idle" if self._idle else "busy"
        return f"<Connection {state}>"

    def rest(self) -> None:
        """Note that the answer is complete: what comes now was not asked for."""
        self._idle = True

    def begin(self) -> None:
        """Note that a request is sent now."""
        self.used, self._idle = True, False

    def check(self) -> None:
        """Raise `StaleConnection` if anything has come since the last answer, or lies in the socket, or its end."""
        if self.used and (self.should_close or not self.is_connected() or self._is_readable()):
            raise StaleConnection

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer; close where there is none to come."""
        if not self._idle:
            super().data_received(data)
        elif data:
            self.give_up()

    def give_up(self) -> None:
        """Use it for no further request; what is on its way may come."""
        self.force_close()
        if self._idle and self.transport:
            self.transport.close()

    def _is_readable(self) -> bool:
        # What the kernel has and the event loop has not read yet: an answer, or the host's goodbye.
        poll = select.poll()
        assert self.transport is not None
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))
