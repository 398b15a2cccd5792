"""A body in chunks (RFC 9112 §7.1): bytes in, the body's bytes out, until its end. Pure.

As lenient as browsers: extensions are passed over, lines may end in LF alone, sizes may have zeros before and spaces
behind, trailers may be anything. What is no size, or no line end behind a chunk, is refused.
"""

import re

from scraper.errors import HeadersTooLarge, ProtocolError
from scraper.http.head import HEADER_BYTES

#: The longest line of a size with its extensions, as in Chromium.
_LINE_BYTES = 16 * 1024
_SIZE = re.compile(rb"0*([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r*", re.S).fullmatch
_PLAIN = re.compile(rb"([0-9a-fA-F]{1,15})\r\n").match
_BEGIN = re.compile(rb"[0-9a-fA-F]+[ \t]*(?:[;\r\n]|$)").match
_SIZE_LINE, _DATA, _LINE_END, _TRAILERS, _DONE = range(5)


def begins_chunked(data: bytes) -> bool:
    """Whether a body looks chunked; some proxies speak HTTP/1.0, undo the chunks, and go on saying so."""
    return _BEGIN(data) is not None


class Chunks:
    """Decodes one body; `done` at its end, `rest` is what came behind it."""

    def __init__(self) -> None:
        self.rest = b""
        self._at, self._left, self._trailers = _SIZE_LINE, 0, 0
        self._line, self._begun = b"", False

    def __repr__(self) -> str:
        return f"<Chunks {'done' if self.done else 'open'}>"

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has come."""
        return not self._begun

    @property
    def done(self) -> bool:
        """Whether the whole body has come, and the blank line behind it."""
        return self._at == _DONE

    @property
    def is_complete(self) -> bool:
        """Whether the whole body has come: the last chunk has (RFC 9112 §8), whatever is missing behind it."""
        return self._at >= _TRAILERS

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in this; raises `ProtocolError` for what is no chunk."""
        if self._line:
            data, self._line = self._line + data, b""
        self._begun, parts, position = True, list[bytes](), 0
        while position < len(data) and self._at != _DONE:
            if self._at == _SIZE_LINE:
                position = self._take_whole(data, position, parts)
            if self._at == _DATA:
                part = data[position : position + self._left]
                parts.append(part)
                position += len(part)
                self._left -= len(part)
                self._at = _DATA if self._left else _LINE_END
                continue
            end = data.find(b"\n", position)
            if end < 0:
                self._keep(data[position:])
                return b"".join(parts)
            self._read_line(data[position:end])
            position = end + 1
        self.rest = data[position:]
        return b"".join(parts)

    def _take_whole(self, data: bytes, position: int, parts: list[bytes]) -> int:
        """Take the chunks that are whole and plain, which most are; returns where the first other one begins."""
        while (found := _PLAIN(data, position)) is not None:
            start = found.end()
            end = start + int(found[1], 16)
            if end == start or data[end : end + 2] != b"\r\n":
                break
            parts.append(data[start:end])
            position = end + 2
        return position

    def _keep(self, line: bytes) -> None:
        self._line = line
        self._check_length(len(line))
        if self._at == _SIZE_LINE and line and not begins_chunked(line):
            raise ProtocolError(f"no size of a chunk: {line[:20]!r}")

    def _read_line(self, line: bytes) -> None:
        self._check_length(len(line))
        if self._at == _SIZE_LINE:
            found = _SIZE(line)
            if found is None:
                raise ProtocolError(f"no size of a chunk: {line[:20]!r}")
            self._left = int(found[1], 16)
            self._at = _DATA if self._left else _TRAILERS
        elif self._at == _LINE_END:
            if line.strip(b"\r"):
                raise ProtocolError(f"a chunk is longer than its size: {line[:20]!r}")
            self._at = _SIZE_LINE
        elif not line.strip(b"\r"):
            self._at = _DONE

    def _check_length(self, length: int) -> None:
        if self._at == _TRAILERS:
            self._trailers += length
            if self._trailers > HEADER_BYTES:
                raise HeadersTooLarge(f"more than {HEADER_BYTES} bytes of trailers")
        elif length > _LINE_BYTES:
            raise ProtocolError("a chunk's size has no end")
