"""Hostile pages whose bytes come too slowly, never end, or stop before their end."""

from random import Random

from penstock.site.hostile_case import cases, html, ok_head, raw, served, then, without_end
from penstock.site.wire import Script, Wire

_DRIP_SECONDS = 0.2
_PIECE = b"<p>silt</p>" * 6000
#: A page is whole on this attempt, and broken on each before.
_GOOD_ATTEMPT = 3
_PAGE = html("At last")
_NOISE = Random("noise").randbytes(40_000)


def _dripping(data: bytes) -> Script:
    async def script(wire: Wire) -> None:
        await wire.send_slowly(data, pause_seconds=_DRIP_SECONDS)

    return script


async def _reset_until_third(wire: Wire) -> None:
    if wire.attempt < _GOOD_ATTEMPT:
        await wire.send(ok_head("Content-Length: 100000") + _PAGE)
        wire.reset()
    else:
        await served(_PAGE)(wire)


async def _reset(wire: Wire) -> None:
    await wire.send(ok_head("Content-Length: 100000") + _PAGE)
    wire.reset()


async def _reset_at_once(wire: Wire) -> None:
    wire.reset()


_STALLED = then(raw(ok_head("Content-Length: 100000") + _PAGE), Wire.hang)
_CHUNK = f"{len(_PIECE):x}\r\n".encode() + _PIECE + b"\r\n"

_ENDLESS: dict[str, Script] = {
    "endless_body": without_end(ok_head(), _PIECE),
    "endless_chunks": without_end(ok_head("Transfer-Encoding: chunked"), _CHUNK),
    "length_of_10_tb": without_end(ok_head("Content-Length: 10000000000000"), _PIECE),
}
_SLOW: dict[str, Script] = {
    "dripping_body": _dripping(ok_head("Content-Length: 1000000") + b" " * 1_000_000),
    "dripping_headers": _dripping(b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 60_000),
    "silence": Wire.hang,
    "stalled_body": _STALLED,
}
_CUT: dict[str, Script] = {
    "short_body": raw(ok_head("Content-Length: 100000") + _PAGE),
    "reset_in_body": _reset,
    "reset_at_once": _reset_at_once,
    "closed_at_once": raw(status=0),
    "closed_in_headers": raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
}
_FETCHED: dict[str, Script] = {
    "reset_twice": _reset_until_third,
    "empty_body": served(b""),
    "no_length": raw(ok_head() + _PAGE),
    "noise_as_html": served(_NOISE),
    "noise_as_octets": served(_NOISE, content_type="application/octet-stream"),
    "type_missing": raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(_PAGE) + _PAGE),
    "type_nonsense": served(_PAGE, content_type=";;;=/"),
    "image": served(b"\x89PNG\r\n\x1a\n" + _NOISE[:900], content_type="image/png"),
    "pdf": served(b"%PDF-1.7\n" + _NOISE[:900], content_type="application/pdf"),
}

CASES = (
    *cases(_ENDLESS, outcome="body_too_large"),
    *cases(_SLOW, outcome="deadline", or_else=("too_slow", "timeout"), quick=False),
    *cases(_CUT, outcome="protocol_error", or_else=("truncated", "not_http")),
    *cases(_FETCHED),
)
