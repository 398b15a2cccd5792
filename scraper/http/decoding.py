"""From the bytes on the wire to the page's bytes: decoders that know when to stop.

Takes a whole body as it came (bounded by the client) and its Content-Encoding; gives the decoded body and the flags of
what was odd about it. A pure function: no decoder here ever makes more than `limit` bytes and one step.
Sources: RFC 9110 §8.4, RFC 1952 (gzip), RFC 1950 and 1951 (deflate), RFC 7932 (br), RFC 8878 (zstd).
"""

import codecs
import struct
from collections.abc import Callable, Generator, Iterator
from typing import Any

import brotli
import zstandard

from scraper.errors import BadEncoding, BodyTooLarge, TooManyEncodings, Truncated, UnsupportedEncoding
from scraper.http.deflate import engine

#: Content-Encodings one upon the other; more are refused.
MOST_ENCODINGS = 2
#: A body may grow by this factor once it is larger than RATIO_FROM_BYTES; real pages stay below 40.
MOST_RATIO = 200
RATIO_FROM_BYTES = 1024 * 1024
#: What a decoder makes in one step, so also by how much a limit can be passed before it is noticed.
STEP_BYTES = 256 * 1024
#: The largest window a zstd frame may ask for (RFC 8878 §3.1.1.1.2 recommends to support 8 MiB).
ZSTD_WINDOW_BYTES = 8 * 1024 * 1024
#: One zstd block makes at most 128 KiB of as little as 4 bytes, so a slice of this size makes at most 4 MiB.
_ZSTD_SLICE_BYTES = 128
#: Codings that are registered (RFC 9110 §18.6) and that we cannot undo. Any other word is no coding.
_KNOWN = frozenset(("aes128gcm", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress"))
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_RAW_DEFLATE = -15

#: What a decoder yields: pieces of the body. Raises `_Damaged` for what it cannot read, `Truncated` at a missing end.
_Pieces = Iterator[bytes]


class _Damaged(Exception):
    """Raised by a decoder for bytes that are not of its format."""


def decode(
    wire: bytes, encodings: str, *, limit: int, cut: bool = False, early: bool = False
) -> tuple[bytes, tuple[str, ...]]:
    """The decoded body and its flags: `encoding_lied`, `bad_checksum`, `no_checksum`, `encoding_cut`,
    `trailing_garbage`.

    `encodings` is the Content-Encoding header, empty where there is none; `limit` is in bytes; `cut` asks for what
    there is of a body that may pass its limit, `early` of one that ends within its encoding: it was cut before it came
    here, or its host has no more to say. Raises `BodyTooLarge`, `TooManyEncodings`, `UnsupportedEncoding`,
    `BadEncoding` or `Truncated`.
    """
    flags = list[str]()
    names = _codings(encodings, flags)
    if len(names) > MOST_ENCODINGS:
        raise TooManyEncodings(f"the body is encoded {len(names)} times; at most {MOST_ENCODINGS} are undone")
    body, most = wire, largest(len(wire), limit)
    for name in reversed(names):
        body = _undo(body, name, flags, limit=most, cut=cut, early=early)
    if len(body) > limit and not cut:
        raise BodyTooLarge(f"the body is larger than {limit} bytes")
    return body[:limit], tuple(dict.fromkeys(flags))


def _codings(encodings: str, flags: list[str]) -> list[str]:
    """The codings in a Content-Encoding. Hosts also write charsets there, languages, `chunked`, `raw`: passed over."""
    words = [part.partition(";")[0].strip(" \t\"'").lower() for part in encodings.split(",")]
    found = [word for word in words if word in _DECODERS or word in _KNOWN]
    if any(word not in _DECODERS and word not in _KNOWN and word not in ("", "identity") for word in words):
        flags.append("encoding_lied")
    return found


def largest(wire: int, limit: int) -> int:
    """The bytes that an encoded body of so many bytes may be decoded to."""
    return min(limit, max(RATIO_FROM_BYTES, MOST_RATIO * wire))


def _undo(body: bytes, name: str, flags: list[str], *, limit: int, cut: bool, early: bool) -> bytes:
    decoder = _DECODERS.get(name)
    if not body:
        return body
    if decoder is None:
        if _is_plain(body):
            flags.append("encoding_lied")
            return body
        raise UnsupportedEncoding(f"cannot decode Content-Encoding {name[:40]!r}")
    try:
        return _collect(decoder(body, flags), limit, flags, cut=cut, early=early)
    except _Damaged as error:
        if _is_plain(body):
            flags.append("encoding_lied")
            return body
        raise BadEncoding(f"the {name} body is damaged: {error}") from error


def _collect(pieces: _Pieces, limit: int, flags: list[str], *, cut: bool, early: bool) -> bytes:
    parts, size = list[bytes](), 0
    try:
        for piece in pieces:
            parts.append(piece)
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(f"the decoded body is larger than {limit} bytes")
    except BodyTooLarge:
        if not cut:
            raise
    except Truncated:
        if not early or not (parts or cut):
            raise
        if not cut:
            flags.append("encoding_cut")
    return b"".join(parts)


def _is_plain(body: bytes) -> bool:
    """Whether these bytes look like text that nobody encoded, by the first 512 of them."""
    head = body[:512]
    if any(byte < 0x20 and byte not in b"\t\n\f\r\x1b" for byte in head):
        return False
    return b"<" in head or _is_utf8(head)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _not_begun(body: bytes, magic: bytes, name: str) -> Exception:
    return Truncated(f"the {name} body ends in its header") if magic.startswith(body) else _Damaged(f"no {name} header")


# -- gzip


def _gunzip(body: bytes, flags: list[str]) -> _Pieces:
    position = 0
    while position < len(body):
        if body[position : position + 2] != _GZIP_MAGIC:
            if not position:
                raise _not_begun(body, _GZIP_MAGIC, "gzip")
            if body[position:].strip(b"\0"):
                flags.append("trailing_garbage")
            return
        position = yield from _member(body, _after_gzip_header(body, position), flags)


def _member(body: bytes, start: int, flags: list[str]) -> Generator[bytes, None, int]:  # returns where the member ends
    check, size = 0, 0
    decoder = engine.decompressobj(_RAW_DEFLATE)
    for piece in _inflate(decoder, memoryview(body)[start:]):
        check, size = engine.crc32(piece, check), size + len(piece)
        yield piece
    end = len(body) - len(decoder.unused_data)
    _check(body[end : end + 8], struct.pack("<II", check, size & 0xFFFFFFFF), flags)
    return end + 8


def _check(found: bytes, right: bytes, flags: list[str]) -> None:
    """Note what is wrong with a checksum. The body is whole without it: the compressed data say where they end."""
    if found != right:
        flags.append("bad_checksum" if len(found) == len(right) else "no_checksum")


def _after_gzip_header(body: bytes, start: int) -> int:
    """Where the deflate data of a member begin (RFC 1952 §2.3)."""
    if len(body) < start + 10:
        raise Truncated("the gzip body ends in its header")
    bits, position = body[start + 3], start + 10
    if bits & 4:
        position += 2 + int.from_bytes(body[position : position + 2], "little")
    for bit in (8, 16):
        if bits & bit:
            position = body.find(b"\0", position) + 1
            if not position:
                raise Truncated("the gzip body ends in its header")
    return position + (2 if bits & 2 else 0)


# -- deflate


def _inflate_any(body: bytes, flags: list[str]) -> _Pieces:
    """Deflate as the RFC says (with a zlib header), or as many servers do (without)."""
    # With a dictionary that both sides know (the last condition) it is no coding of HTTP.
    first, second = body[0], body[1] if len(body) > 1 else 0
    has_header = first & 0x0F == 8 and (first << 8 | second) % 31 == 0 and not second & 0x20
    check, decoder = 1, engine.decompressobj(_RAW_DEFLATE)
    for piece in _inflate(decoder, memoryview(body)[2 * has_header :]):
        check = engine.adler32(piece, check)
        yield piece
    rest = decoder.unused_data
    if has_header:
        _check(rest[:4], struct.pack(">I", check), flags)
        rest = rest[4:]
    if rest:
        flags.append("trailing_garbage")


def _inflate(decoder: Any, data: memoryview) -> _Pieces:
    left: bytes | memoryview = data
    try:
        while not decoder.eof:
            piece = decoder.decompress(left, STEP_BYTES)
            left = decoder.unconsumed_tail
            if piece:
                yield piece
            elif not left and not decoder.eof:
                raise Truncated("the compressed body ends before its end")
    except engine.error as error:
        raise _Damaged(str(error)) from error


# -- br


def _unbrotli(body: bytes, flags: list[str]) -> _Pieces:
    decoder = brotli.Decompressor()
    data = body
    try:
        while not decoder.is_finished():
            piece = decoder.process(data, output_buffer_limit=STEP_BYTES)
            data = b""
            if piece:
                yield piece
            elif decoder.can_accept_more_data() and not decoder.is_finished():
                raise Truncated("the br body ends before its end")
    except brotli.error as error:
        raise _Damaged(str(error)) from error


# -- zstd


def _unzstd(body: bytes, flags: list[str]) -> _Pieces:
    data = body
    while data:
        if data[:4] != _ZSTD_MAGIC and not _is_skippable(data):
            if data is body:
                raise _not_begun(body, _ZSTD_MAGIC, "zstd")
            flags.append("trailing_garbage")
            return
        data = yield from _frame(data)


def _is_skippable(data: bytes) -> bool:
    return data[1:4] == b"\x2a\x4d\x18" and data[0] & 0xF0 == 0x50


def _frame(data: bytes) -> Generator[bytes, None, bytes]:  # returns what follows the frame
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES).decompressobj()
    try:
        for start in range(0, len(data), _ZSTD_SLICE_BYTES):
            if piece := decoder.decompress(data[start : start + _ZSTD_SLICE_BYTES]):
                yield piece
            if decoder.eof:
                return decoder.unused_data + data[start + _ZSTD_SLICE_BYTES :]
    except zstandard.ZstdError as error:
        raise _Damaged(str(error)) from error
    raise Truncated("the zstd body ends before its end")


_DECODERS: dict[str, Callable[[bytes, list[str]], _Pieces]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate_any,
    "br": _unbrotli,
    "zstd": _unzstd,
}
#: What we tell hosts that we can decode.
ACCEPTED = "gzip, deflate, br, zstd"
