"""Hostile pages that lie in Content-Encoding, or say the truth about it and are a bomb."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial

import brotli
import zstandard

from penstock.site.hostile_case import cases, html, served
from penstock.site.wire import Script

_MIB = 1024 * 1024
#: Decoded size of a bomb; ten times what a crawler should take.
_BOMB_BYTES = 200 * _MIB
#: 2^27 bytes of window, sixteen times what RFC 9659 lets a sender use.
_WINDOW_LOG = 27

_PAGE = html("Packed", "<p>" + "The weir holds the water back. " * 400 + "</p>")


def _encoded(encoding: str, body: bytes | Callable[[], bytes]) -> Script:
    return served(body, headers=f"Content-Encoding: {encoding}\r\n")


def _bomb_pieces() -> Iterator[bytes]:
    yield html("Bomb")
    for _ in range(_BOMB_BYTES // _MIB):
        yield b" " * _MIB


@cache
def gzip_bomb() -> bytes:
    """200 KB that become 200 MiB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(map(packer.compress, _bomb_pieces())) + packer.flush()


@cache
def br_bomb() -> bytes:
    """A few hundred bytes that become 200 MiB."""
    packer = brotli.Compressor(quality=5)
    return b"".join(map(packer.process, _bomb_pieces())) + bytes(packer.finish())


@cache
def zstd_bomb() -> bytes:
    """A few KB that become 200 MiB."""
    packer = zstandard.ZstdCompressor().compressobj()
    return b"".join(map(packer.compress, _bomb_pieces())) + packer.flush()


def _zipped(times: int, body: bytes = _PAGE) -> bytes:
    for _ in range(times):
        body = gzip.compress(body, mtime=0)
    return body


def _raw_deflate() -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(_PAGE) + packer.flush()


def _wide_window() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=_WINDOW_LOG, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(_PAGE * 2000) + packer.flush()


def _wrong_sum() -> bytes:
    packed = bytearray(_zipped(1))
    packed[-8] ^= 0xFF
    return bytes(packed)


def _garbled() -> bytes:
    packed = bytearray(_zipped(1))
    packed[12:60] = b"\xff" * 48
    return bytes(packed)


def _halved(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


_SOUND: dict[str, Script] = {
    "gzip_in_gzip": _encoded("gzip, gzip", partial(_zipped, 2)),
    "deflate_zlib": _encoded("deflate", zlib.compress(_PAGE)),
    "deflate_raw": _encoded("deflate", _raw_deflate),
    "br": _encoded("br", brotli.compress(_PAGE)),
    "zstd": _encoded("zstd", zstandard.compress(_PAGE)),
    "x_gzip_upper_case": _encoded("X-GZip", partial(_zipped, 1)),
    "encoding_identity": _encoded("identity", _PAGE),
    "gzip_but_plain": _encoded("gzip", _PAGE),
    "gzip_two_members": _encoded("gzip", _zipped(1, _PAGE[:500]) + _zipped(1, _PAGE[500:])),
    "gzip_trailing_garbage": _encoded("gzip", _zipped(1) + b"\x00garbage\xff" * 9),
    "gzip_wrong_sum": _encoded("gzip", _wrong_sum),
}
_BOMBS: dict[str, Script] = {
    "gzip_bomb": _encoded("gzip", gzip_bomb),
    "br_bomb": _encoded("br", br_bomb),
    "zstd_bomb": _encoded("zstd", zstd_bomb),
    "gzip_gzip_bomb": _encoded("gzip, gzip", lambda: _zipped(1, gzip_bomb())),
}
#: Cut, but not before there is something to show, so browsers show it.
_SHORT: dict[str, Script] = {
    "gzip_truncated": _encoded("gzip", lambda: _halved(_zipped(1))),
    "gzip_without_trailer": _encoded("gzip", lambda: _zipped(1)[:-8]),
}
_CUT: dict[str, Script] = {
    "br_truncated": _encoded("br", lambda: _halved(brotli.compress(_PAGE))),
    "zstd_truncated": _encoded("zstd", lambda: _halved(zstandard.compress(_PAGE))),
}
_EMPTY: dict[str, Script] = {"gzip_empty": _encoded("gzip", b"")}
_STACKED: dict[str, Script] = {
    "encodings_3": _encoded("gzip, gzip, gzip", partial(_zipped, 3)),
    "encodings_50": _encoded(", ".join(["gzip"] * 50), partial(_zipped, 50)),
}
#: No encoding of a body, but what it says is harmless, and hosts say it by mistake.
_MISTAKEN: dict[str, Script] = {
    "encoding_unknown": _encoded("x-silt", _PAGE),
    "encoding_utf8": _encoded("utf-8", _PAGE),
}
_BROKEN: dict[str, Script] = {
    "gzip_garbled": _encoded("gzip", _garbled),
    "br_garbled": _encoded("br", b"\xff" * 999),
    "zstd_wide_window": _encoded("zstd", _wide_window),
}

CASES = (
    *cases(_SOUND),
    *cases(_BOMBS, outcome="body_too_large"),
    *cases(_SHORT, or_else=("truncated", "protocol_error")),
    *cases(_CUT, outcome="truncated", or_else=("protocol_error",)),
    *cases(_STACKED, outcome="too_many_encodings"),
    *cases(_MISTAKEN, or_else=("unsupported_encoding",)),
    *cases(_BROKEN, outcome="protocol_error", or_else=("truncated", "body_too_large")),
    *cases(_EMPTY, or_else=("truncated", "protocol_error")),
)
