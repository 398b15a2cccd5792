"""Decoding bodies: whole, damaged, lying, and larger than they look."""

import gzip
import random
import zlib

import brotli
import pytest
import zstandard

from scraper.errors import BadEncoding, BodyTooLarge, TooManyEncodings, Truncated, UnsupportedEncoding
from scraper.http.decoding import decode

MIB = 1024 * 1024
PAGE = b"<html>" + random.Random(1).randbytes(500).hex().encode() * 40
PLAIN = {"limit": 20 * MIB}


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
    "identity": bytes,
    "": bytes,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_whole_body_is_decoded_without_a_flag(encoding):
    assert decode(ENCODERS[encoding](PAGE), encoding, **PLAIN) == (PAGE, ())


def test_deflate_without_the_zlib_header_is_understood():
    assert decode(raw_deflate(PAGE), "deflate", **PLAIN) == (PAGE, ())


def test_all_members_of_a_gzip_body_count():
    wire = gzip.compress(PAGE) + gzip.compress(b"more")

    assert decode(wire, "gzip", **PLAIN) == (PAGE + b"more", ())


def test_all_frames_of_a_zstd_body_count():
    wire = zstandard.compress(PAGE) + zstandard.compress(b"more")

    assert decode(wire, "zstd", **PLAIN) == (PAGE + b"more", ())


def test_a_gzip_header_with_all_its_optional_parts_is_passed_over():
    packed = gzip.compress(PAGE)
    header = packed[:3] + b"\x1e" + packed[4:10] + b"\x02\x00ab" + b"name\0" + b"comment\0" + b"\0\0"

    assert decode(header + packed[10:], "gzip", **PLAIN) == (PAGE, ())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("share", [0.0001, 0.001, 0.5, 0.99])
def test_a_body_that_ends_early_is_truncated_and_worth_another_try(encoding, share):
    packed = ENCODERS[encoding](PAGE)

    with pytest.raises(Truncated) as caught:
        decode(packed[: max(1, int(len(packed) * share))], encoding, **PLAIN)

    assert caught.value.retryable


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_the_host_ends_within_its_encoding_is_taken_as_far_as_it_goes(encoding):
    page = random.Random(2).randbytes(300_000).hex().encode()
    packed = ENCODERS[encoding](page)

    body, flags = decode(packed[: len(packed) // 2], encoding, **PLAIN, early=True)

    assert page.startswith(body)
    assert len(body) > len(page) // 4
    assert flags == ("encoding_cut",)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_of_what_ends_before_its_first_byte_nothing_is_made(encoding):
    with pytest.raises(Truncated):
        decode(ENCODERS[encoding](PAGE)[:3], encoding, **PLAIN, early=True)


@pytest.mark.parametrize(("encoding", "length"), [("gzip", 8), ("deflate", 4)])
def test_a_body_is_whole_without_its_checksum_or_with_a_wrong_one(encoding, length):
    packed = ENCODERS[encoding](PAGE)

    for missing in range(1, length + 1):
        assert decode(packed[:-missing], encoding, **PLAIN) == (PAGE, ("no_checksum",))
    for place in range(1, length + 1):
        wrong = packed[: len(packed) - place] + bytes([packed[-place] ^ 1]) + packed[len(packed) - place + 1 :]
        assert decode(wrong, encoding, **PLAIN) == (PAGE, ("bad_checksum",))


def test_two_bytes_that_look_like_a_zlib_header_and_ask_for_a_dictionary_are_none():
    with pytest.raises((BadEncoding, Truncated)):
        decode(b"\x78\xbb" + zlib.compress(PAGE)[2:], "deflate", **PLAIN)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_garbage_behind_the_end_is_flagged(encoding):
    assert decode(ENCODERS[encoding](PAGE) + b"garbage", encoding, **PLAIN) == (PAGE, ("trailing_garbage",))


def test_zeros_behind_a_gzip_body_are_padding():
    assert decode(gzip.compress(PAGE) + bytes(512), "gzip", **PLAIN) == (PAGE, ())


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "none", "utf-8"])
def test_a_plain_body_under_an_encoding_is_taken_as_it_is_and_flagged(encoding):
    body = "<!doctype html><p>café</p>".encode()

    assert decode(body, encoding, **PLAIN) == (body, ("encoding_lied",))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", b"\0\1\2\3"), ("br", b"\xff" * 999), ("zstd", b"\xff\0" * 9), ("deflate", b"\xff" * 9)],
)
def test_a_body_that_is_neither_is_damaged(encoding, body):
    with pytest.raises(BadEncoding) as caught:
        decode(body, encoding, **PLAIN)

    assert (caught.value.reason, caught.value.retryable) == ("protocol_error", True)


@pytest.mark.parametrize(
    "word",
    [
        "x-silt",
        "aws-chunked",
        "chunked",
        "utf-8",
        "en",
        "raw",
        "none",
        "binary",
        "ISO-8859-1",
        "*",
        "gzip2",
        "text/html",
    ],
)
@pytest.mark.parametrize("body", [b"<p>plain</p>", b"", b"\x89PNG\r\n\x1a\n\0\0"])
def test_a_word_that_is_no_coding_is_passed_over(word, body):
    assert decode(body, word, **PLAIN) == (body, ("encoding_lied",))


@pytest.mark.parametrize("words", ["gzip, aws-chunked", "aws-chunked,gzip", "utf-8, gzip, identity", ' "gzip" , en'])
def test_what_is_a_coding_beside_such_a_word_is_undone(words):
    body, flags = decode(gzip.compress(b"<p>packed</p>"), words, **PLAIN)

    assert (body, set(flags) - {"encoding_lied"}) == (b"<p>packed</p>", set())


def test_a_coding_may_have_parameters():
    assert decode(gzip.compress(b"<p>packed</p>"), "gzip;q=1.0", **PLAIN) == (b"<p>packed</p>", ())


@pytest.mark.parametrize("word", ["compress", "x-compress", "exi", "dcz"])
def test_a_coding_that_we_know_and_cannot_undo_is_refused_unless_it_is_a_lie(word):
    assert decode(b"<p>plain</p>", word, **PLAIN) == (b"<p>plain</p>", ("encoding_lied",))
    with pytest.raises(UnsupportedEncoding):
        decode(b"\x1f\x9d\x90\x00\x01", word, **PLAIN)


def test_more_than_two_encodings_are_refused_unread():
    with pytest.raises(TooManyEncodings):
        decode(b"", "gzip, gzip, gzip", **PLAIN)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_a_bomb_is_stopped_by_the_limit_or_by_its_growth(encoding):
    with pytest.raises(BodyTooLarge) as caught:
        decode(ENCODERS[encoding](bytes(24 * MIB)), encoding, **PLAIN)

    assert not caught.value.retryable


def test_a_page_of_a_megabyte_may_grow_as_much_as_it_likes():
    assert decode(brotli.compress(bytes(MIB)), "br", **PLAIN)[0] == bytes(MIB)


def test_a_zstd_window_beyond_the_cap_is_refused():
    wide = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()

    with pytest.raises(BadEncoding):
        decode(packer.compress(PAGE * 400) + packer.flush(), "zstd", **PLAIN)


def test_an_empty_body_is_empty_whatever_its_encoding():
    assert decode(b"", "gzip", **PLAIN) == (b"", ())


def test_a_body_that_may_be_cut_gives_what_there_is():
    half = gzip.compress(PAGE)[:-40]

    body, _ = decode(half, "gzip", limit=500, cut=True, early=True)

    assert body == PAGE[:500]
