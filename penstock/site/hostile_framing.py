"""Hostile pages that break, bend or overstretch the framing of HTTP/1.1 (RFC 9112), or do not speak it."""

from random import Random

from penstock.site.hostile_case import Hostile, cases, html, ok_head, raw, without_end
from penstock.site.wire import Script

_PAGE = html("Framed")
_LENGTH = f"Content-Length: {len(_PAGE)}"
_CHUNKED = "Transfer-Encoding: chunked"
_ONE_CHUNK = f"{len(_PAGE):x}\r\n".encode() + _PAGE + b"\r\n"
_HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
_COOKIE = "Set-Cookie: c{}={}; Domain=invalid; Path=/"


def _with_lines(*lines: str, body: bytes = _PAGE) -> Script:
    return raw(ok_head(*lines) + body)


def _with_status(line: str, *, status: int, body: bytes = _PAGE, more: str = "") -> Script:
    lines = f"Connection: close\r\nContent-Type: text/html\r\n{more}Content-Length: {len(body)}"
    head = f"{line}\r\n{lines}\r\n\r\n"
    return raw(head.encode() + body, status=status)


_TOO_LARGE_HEADERS: dict[str, Script] = {
    "header_150_kb": _with_lines("X-Long: " + "x" * 150_000, _LENGTH),
    "headers_8000": _with_lines(*(f"X-{number}: silt" for number in range(8000)), _LENGTH),
    "cookies_10000": _with_lines(*(_COOKIE.format(number, "x") for number in range(10_000)), _LENGTH),
    "cookie_1_mb": _with_lines(_COOKIE.format(1, "x" * 1_000_000), _LENGTH),
    "endless_headers": without_end(b"HTTP/1.1 200 OK\r\n", b"X-More: silt\r\n" * 100),
    "endless_trailers": without_end(ok_head(_CHUNKED) + _ONE_CHUNK + b"0\r\n", b"X-More: silt\r\n" * 100),
}
_CUT: dict[str, Script] = {"chunk_last_missing": _with_lines(_CHUNKED, body=_ONE_CHUNK)}
_BAD_FRAMES: dict[str, Script] = {
    "lengths_conflict": _with_lines(_LENGTH, "Content-Length: 7"),
    "chunk_size_bad": _with_lines(_CHUNKED, body=b"zz\r\n" + _PAGE + b"\r\n0\r\n\r\n"),
    "chunk_size_huge": _with_lines(_CHUNKED, body=b"ffffffffffffffffffff\r\n" + _PAGE),
    "header_nul": _with_lines("X-Nul: a\0b", _LENGTH),
    "charset_raw_nul": _with_lines('Content-Type: text/html; charset="utf-8\0"', _LENGTH),
    "early_hints_20000": raw(_HINT * 20_000, ok_head(_LENGTH) + _PAGE),
}
#: Wrong or overdone, but browsers make sense of them.
_BEARABLE: dict[str, Script] = {
    "length_negative": _with_lines("Content-Length: -1"),
    "length_not_a_number": _with_lines("Content-Length: many"),
    "length_and_chunked": _with_lines(_LENGTH, _CHUNKED, body=_ONE_CHUNK + b"0\r\n\r\n"),
    "header_space_before_colon": _with_lines("X-Space : 1", _LENGTH),
    "header_without_colon": _with_lines("silt", _LENGTH),
    "http_version_37": _with_status("HTTP/37.5 200 OK", status=200),
    "status_204_with_body": raw(b"HTTP/1.1 204 No Content\r\n\r\n" + _PAGE, status=204),
    "lengths_agree": _with_lines(_LENGTH, _LENGTH),
    "header_folded": _with_lines("X-Folded: one\r\n  two", _LENGTH),
    "header_latin1": _with_lines("X-Latin: caf\xe9 \xff", _LENGTH),
}
_NOT_HTTP: dict[str, Script] = {
    "http_09": raw(_PAGE),
    "random_bytes": raw(b"\xff\x00" + Random("bytes").randbytes(4000)),
    "smtp_banner": raw(b"220 mail.invalid ESMTP ready\r\n250 ok\r\n"),
    "tls_alert": raw(b"\x15\x03\x01\x00\x02\x02\x46"),
}
_ODD_STATUSES: dict[str, Script] = {
    "status_999": _with_status("HTTP/1.1 999 Request denied", status=999),
    "status_600": _with_status("HTTP/1.1 600 Beyond", status=600),
    "status_0": _with_status("HTTP/1.1 000 Nothing", status=0),
}
_FINE: dict[str, Script] = {
    "status_299": _with_status("HTTP/1.1 299 Odd", status=299),
    "status_without_phrase": _with_status("HTTP/1.1 200", status=200),
    "status_205_with_body": _with_status("HTTP/1.1 205 Reset Content", status=205),
    "type_twice": _with_lines("Content-Type: application/pdf", _LENGTH),
    "cookies_100": _with_lines(*(_COOKIE.format(number, "x" * 200) for number in range(100)), _LENGTH),
    "early_hints_3": raw(_HINT * 3, ok_head(_LENGTH) + _PAGE),
}
_UNASKED: dict[str, tuple[Script, str, tuple[str, ...]]] = {
    "status_101": (
        raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: silt\r\n\r\n\0\1\2", status=101),
        "unknown_status",
        ("protocol_error", "not_http"),
    ),
    "status_206": (
        _with_status("HTTP/1.1 206 Partial Content", status=206, more="Content-Range: bytes 0-9/999\r\n"),
        "truncated",
        (),
    ),
    "status_304": (
        raw(b"HTTP/1.1 304 Not Modified\r\n\r\n" + _PAGE, status=304),
        "fetched",
        ("bad_location", "unknown_status", "protocol_error", "not_http"),
    ),
}

CASES = (
    *cases(_TOO_LARGE_HEADERS, outcome="headers_too_large"),
    *cases(_BAD_FRAMES, outcome="protocol_error", or_else=("not_http",)),
    *cases(_CUT, outcome="truncated", or_else=("protocol_error",)),
    *cases(_BEARABLE, or_else=("protocol_error", "not_http")),
    *cases(_NOT_HTTP, outcome="not_http", or_else=("protocol_error",)),
    *cases(_ODD_STATUSES, outcome="unknown_status"),
    *cases(_FINE),
    *(
        Hostile(name=f"{name}_unasked", script=script, outcome=outcome, or_else=or_else)
        for name, (script, outcome, or_else) in _UNASKED.items()
    ),
)
