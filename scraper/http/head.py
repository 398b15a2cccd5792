"""The head of an answer: bytes to what they mean, as leniently as browsers read them. Pure.

What is odd and harmless is read as Chromium does, dropped where it does, and flagged. What says two things at once
(conflicting lengths) or nothing at all is refused. Sources: RFC 9112, and Chromium's answers to the same bytes.

    bad_status_line  read from what was there: `HTTP 200`, `http/1.1 200 OK`, four bytes before it
    bad_header       lines without a colon, or with a name that is none, were dropped
    folded_header    lines that go on in the next (RFC 9112 §5.2) were joined
    length_repeated  the same Content-Length more than once
    length_ignored   a Content-Length that is no number, or stands beside `chunked`
"""

import re

from scraper.errors import HeadersTooLarge, NotHttp, ProtocolError

#: The largest head of an answer, all lines together.
HEADER_BYTES = 64 * 1024
HEADER_LINES = 256
#: Bytes before the status line that are passed over, as by Chromium; line ends do not count.
MOST_BEFORE = 4
#: What this many bytes do not begin is no HTTP.
_ENOUGH = MOST_BEFORE + len("http")
#: Answers that have no body, whatever their headers say (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
BODILESS = frozenset((204, 205, 304))
#: What a length cannot reach; a larger number is none.
_MOST_LENGTH, _MOST_DIGITS = 2**63, 400

_PLAIN = "HTTP/1.1 "
_STATUS_LINE = re.compile(r"http(?:/(\d+)(?:\.(\d+))?)?\S*\s*(\d*)\s*(.*)", re.I | re.S)
_WELL_FORMED = re.compile(r"HTTP/1\.[01] \d{3}( .*)?", re.S).fullmatch
_TOKEN = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`|~-]+").fullmatch
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection"))


class Head:
    """What a head says. `length` is None where the body's end is another; `flags` grow while the body is read."""

    __slots__ = ("chunked", "codings", "flags", "headers", "keep_alive", "length", "reason", "status", "version")

    def __init__(self, version: str, status: int, reason: str, headers: list[tuple[str, str]], flags: list[str]):
        self.version, self.status, self.reason, self.headers, self.flags = version, status, reason, headers, flags
        self.length: int | None = None
        self.chunked, self.keep_alive = False, False
        #: Transfer codings below `chunked`, as in a Content-Encoding.
        self.codings = ""

    def __repr__(self) -> str:
        return f"<Head {self.status}, {len(self.headers)} headers, {self.flags}>"

    def values(self, name: str) -> str:
        """All values of a header, by its name in lower case, in one list."""
        return ",".join([value for key, value in self.headers if key.lower() == name])


def start_of(raw: bytes | bytearray) -> int | None:
    """Where the status line begins; None while that cannot be said. Raises `NotHttp` where there is none."""
    start = 0
    while raw[start : start + 1] in (b"\r", b"\n"):
        start += 1
    found = raw[start : start + _ENOUGH].lower().find(b"http")
    if found >= 0:
        return start + found
    if len(raw) - start >= _ENOUGH:
        raise NotHttp(f"the answer begins with {bytes(raw[start : start + 20])!r}")
    return None


def read_head(raw: bytes) -> Head:
    """A head, without the blank line behind it; raises `ProtocolError` for one that cannot be relied on."""
    if b"\0" in raw:
        raise ProtocolError("a NUL byte in the head of the answer")
    text = raw.decode("latin-1")
    first, *lines = text.split("\n")
    if len(lines) > HEADER_LINES:
        raise HeadersTooLarge(f"the head has {len(lines)} lines")
    flags = list[str]()
    version, status, reason = _status_line(first.rstrip("\r"), flags)
    if "\n " in text or "\n\t" in text:
        lines = _unfolded(lines, flags)
    headers, framing = _fields(lines, flags)
    head = Head(version, status, reason, headers, flags)
    if framing:
        _frame(head, framing)
    connection = ",".join(framing.get("connection", ())).lower()
    head.keep_alive = "close" not in connection if version != "1.0" else "keep-alive" in connection
    return head


def _status_line(line: str, flags: list[str]) -> tuple[str, int, str]:
    if line.startswith(_PLAIN) and line[9:12].isdecimal() and line[12:13] in ("", " "):
        return "1.1", int(line[9:12]), line[13:]
    found = _STATUS_LINE.match(line)
    if found is None:
        raise NotHttp(f"no status line: {line[:20]!r}")
    major, minor, status, reason = found.groups()
    if not _WELL_FORMED(line):
        flags.append("bad_status_line")
    at_least_1_1 = minor is not None and (int(major[:9]), int(minor[:9])) >= (1, 1)
    # Chromium takes a status line without a number for 200.
    return "1.1" if at_least_1_1 else "1.0", int(status[:9] or "200"), reason


def _fields(lines: list[str], flags: list[str]) -> tuple[list[tuple[str, str]], dict[str, list[str]]]:
    headers, framing, dropped = list[tuple[str, str]](), dict[str, list[str]](), False
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.rstrip(" \t")
        if not colon or not _TOKEN(name):
            dropped = True
            continue
        value = value.strip(" \t\r")
        headers.append((name, value))
        if (key := name.lower()) in _FRAMING:
            framing.setdefault(key, []).append(value)
    if dropped:
        flags.append("bad_header")
    return headers, framing


def _unfolded(lines: list[str], flags: list[str]) -> list[str]:
    whole = list[str]()
    for line in lines:
        if line[:1] not in (" ", "\t"):
            whole.append(line)
        elif whole and ":" in whole[-1]:
            whole[-1] = f"{whole[-1].rstrip()} {line.strip()}"
            flags.append("folded_header")
        elif line.strip():
            whole.append("")  # goes on a line that is none: dropped
    return whole


def _frame(head: Head, framing: dict[str, list[str]]) -> None:
    codings = [part.strip().lower() for part in ",".join(framing.get("transfer-encoding", ())).split(",")]
    head.chunked = "chunked" in codings
    head.codings = ",".join([coding for coding in codings if coding in ("gzip", "x-gzip", "deflate")])
    lengths = framing.get("content-length")
    if lengths is None:
        return
    if head.chunked:  # RFC 9112 §6.3
        head.flags.append("length_ignored")
        return
    given = [part.strip() for part in ",".join(lengths).split(",") if part.strip()]
    different = {int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else text for text in given}
    if len(different) > 1:
        raise ProtocolError(f"conflicting lengths: {', '.join(given)[:80]}")
    if len(given) > 1:
        head.flags.append("length_repeated")
    length = next(iter(different), "")
    if isinstance(length, int) and length < _MOST_LENGTH:
        head.length = length
    else:
        head.flags.append("length_ignored")
