"""A connection to a host: reads its answers, and says whether it is still fit for the next request.

Takes bytes from the socket, gives aiohttp the head and the body of the answer that was asked for. Stands in for the
parser of aiohttp, which is stricter than browsers and has no flag for it: bytes behind the body raise or not, as the
packets fall.

HTTP/1.1 has no numbers: what arrives is taken for the answer to whatever was asked last. So the first complete answer
counts, what comes behind it is dropped, and anything that comes while nobody asked, or the host's wish to close, ends
the connection, or a page would be stored under the URL of the next one, and so on.

    resting ──begin()──▶ head ──▶ body ──▶ resting (kept, or closed at once)

A host that has once spoken out of turn gets a fresh connection for each request: an answer that nobody asked for may
come at any moment, also right after the next request was sent, where nothing tells it from the right one.
"""

import re
import select
from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import RawResponseMessage
from aiohttp.http_writer import HttpVersion11
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader

from scraper.errors import HeadersTooLarge, NotHttp, ProtocolError, Truncated
from scraper.http.chunks import Chunks, begins_chunked
from scraper.http.head import BODILESS, HEADER_BYTES, Head, read_head, start_of

#: Answers of the 1xx kind before the real one; more are refused.
MOST_INTERIM = 16
#: What is held of an answer that came before its request was sent.
_EARLY_BYTES = 2 * HEADER_BYTES
#: Origins of which it is remembered that they speak out of turn.
_MOST_TALKERS = 10_000
_HEAD_END = re.compile(rb"\n\r*\n").search


class _NoHeaders:
    """What aiohttp's response asks for cookies."""

    def getall(self, name: str, default: Any) -> Any:
        return default


_NO_HEADERS: Any = _NoHeaders()


class StaleConnection(Exception):
    """Raised instead of sending a request on a connection that is not fit for it; nothing was sent."""


class Connection(ResponseHandler):
    """aiohttp's connection, with a reader of our own; `talkers` are the origins that have spoken out of turn."""

    def __init__(self, *, talkers: set[str], **options: Any) -> None:
        super().__init__(**options)
        self._talkers, self._origin = talkers, ""
        #: Whether a request has been sent on it.
        self.used = False
        #: The head of the answer at hand.
        self.head: Head | None = None
        self._resting, self._interim, self._raw = True, 0, b""
        self._chunks: Chunks | None = None
        self._left: int | None = None
        self._bodiless, self._limit = False, 0

    def __repr__(self) -> str:
        state = "closed" if not self.is_connected() else "resting" if self._resting else "busy"
        return f"<Connection {state}>"

    # -- the request

    def check(self) -> None:
        """Raise `StaleConnection` if anything has come since the last answer, or lies in the socket, or its end."""
        if self.used and (self.should_close or not self.is_connected() or self._is_readable()):
            raise StaleConnection

    def _is_readable(self) -> bool:
        # What the kernel has and the event loop has not read yet: an answer, or the host's goodbye.
        poll = select.poll()
        assert self.transport is not None
        poll.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def set_response_params(self, *, skip_payload: bool = False, read_bufsize: int = HEADER_BYTES, **_: Any) -> None:
        """Note what aiohttp knows of the next answer; its parser is not made."""
        self._bodiless, self._limit = skip_payload, read_bufsize

    def begin(self, origin: str) -> None:
        """Note that a request to this origin is sent now, so that what comes is its answer."""
        self.used, self._resting, self._origin = True, False, origin
        self.head, self._chunks, self._left, self._interim = None, None, None, 0
        early, self._raw = self._raw, b""
        if early:  # some say on connecting that they are too busy to be asked
            self.data_received(early)

    def give_up(self) -> None:
        """Use it for no further request; what is on its way may come."""
        self.force_close()
        if self._resting and self.transport:
            self.transport.close()

    # -- the answer

    def data_received(self, data: bytes) -> None:
        """Take bytes of an answer; close where there is none to come."""
        if not data:
            return
        try:
            if not self._resting:
                self._take(data)
            elif not self.used and len(self._raw) + len(data) <= _EARLY_BYTES:
                self._raw += data
            else:
                self._spoken_to(data)
                self.give_up()
        except Exception as error:
            self._fail(error)

    def _take(self, data: bytes) -> None:
        if self.head:
            self._take_body(self.head, data)
            return
        looked, raw = max(0, len(self._raw) - 8), self._raw + data if self._raw else data
        while (found := _split(raw, looked)) is not None:
            head, raw = found
            if not 100 <= head.status < 200:
                self._raw = b""
                self._begin_body(head, raw)
                return
            looked, self._interim = 0, self._interim + 1
            if self._interim > MOST_INTERIM:
                raise ProtocolError(f"more than {MOST_INTERIM} interim answers")
        self._raw = raw

    def _begin_body(self, head: Head, data: bytes) -> None:
        self.head = head
        empty = self._bodiless or head.status in BODILESS or head.length == 0
        self._payload = EMPTY_PAYLOAD if empty else StreamReader(self, self._limit, loop=self._loop)
        self._chunks, self._left = Chunks() if head.chunked else None, head.length
        # Of this only the status is read: the rest is in `head`.
        message = RawResponseMessage(HttpVersion11, head.status, "", _NO_HEADERS, (), False, None, False, False)
        self.feed_data((message, self._payload))
        if empty:
            self._end(data)
        elif data:
            self._take_body(head, data)

    def _take_body(self, head: Head, data: bytes) -> None:
        payload, rest, ended = self._payload, b"", False
        if self._chunks and self._chunks.is_fresh and head.version == "1.0" and not begins_chunked(data):
            self._chunks = None
        assert payload is not None
        if self._chunks:
            payload.feed_data(self._chunks.feed(data))
            ended, rest = self._chunks.done, self._chunks.rest
        elif self._left is None:
            payload.feed_data(data)
        else:
            payload.feed_data(data[: self._left] if len(data) > self._left else data)
            rest = data[self._left :]
            self._left -= len(data) - len(rest)
            ended = not self._left
        if ended:
            self._end(rest)

    def _end(self, rest: bytes = b"", *flags: str) -> None:
        head, payload = self.head, self._payload
        assert head is not None
        assert payload is not None
        self._resting = True
        head.flags += flags
        if rest:
            head.flags.append("stray_bytes")
            self._spoken_to(rest)
        if rest or not self._may_stay(head):
            self.force_close()
        if payload is not EMPTY_PAYLOAD:
            payload.feed_eof()  # gives it back to the pool, or closes it

    def _spoken_to(self, data: bytes) -> None:
        # A 408 is a goodbye, and mere line ends are an old habit: neither is the answer to anything.
        if not data.startswith((b"HTTP/1.1 408", b"HTTP/1.0 408")) and data.strip(b"\r\n"):
            if len(self._talkers) >= _MOST_TALKERS:
                self._talkers.clear()
            self._talkers.add(self._origin)

    def _may_stay(self, head: Head) -> bool:
        """Whether host and framing leave no doubt that the next answer begins where this one ends."""
        announced = head.status in BODILESS and head.status != 304 and (head.length or head.chunked)
        if announced or self._origin in self._talkers:
            return False
        return head.keep_alive and not {"length_ignored", "bad_status_line"} & set(head.flags)

    def _fail(self, error: Exception) -> None:
        self._resting = True
        self.force_close()
        if self.head and self._payload is not None and self._payload is not EMPTY_PAYLOAD:
            self._payload.set_exception(error)
        else:
            self.set_exception(error)
        if self.transport:
            self.transport.close()

    # -- the end of the connection, and aiohttp's flow control

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the answer with the connection where that is its end; else it was cut."""
        given_up = self.head is not None and self._payload is None
        if not self._resting and not given_up:
            self._cut(exc)
        super().connection_lost(exc)

    def _cut(self, exc: BaseException | None) -> None:
        if self.head is None:
            if self._raw.strip(b"\r\n"):
                begun = self._raw.lstrip(b"\r\n")[:4].lower()
                self._fail(Truncated("cut in its head") if b"http".startswith(begun) else NotHttp("cut, and no HTTP"))
        elif self._chunks and self._chunks.is_complete:
            self._end(b"", "end_missing")
        elif self._chunks or self._left:
            self._fail(Truncated("the connection was closed before the body's end"))
        else:
            self._end(b"", *(["ended_by_reset"] if exc else []))

    def pause_reading(self) -> None:
        """Stop reading until what was read has been taken."""
        self._reading_paused = True
        self._pause_transport_reading()


def _split(raw: bytes, looked: int) -> tuple[Head, bytes] | None:
    """The head, and what is behind it; None where its end has not come. `looked` bytes are known not to hold that."""
    start = 0 if raw.startswith(b"HTTP/1.") else start_of(raw)
    if start is None:
        return None
    end = _HEAD_END(raw, max(start, looked))
    if (end.start() if end else len(raw)) - start > HEADER_BYTES:
        raise HeadersTooLarge(f"the head has more than {HEADER_BYTES} bytes")
    return (read_head(raw[start : end.start()]), raw[end.end() :]) if end else None
