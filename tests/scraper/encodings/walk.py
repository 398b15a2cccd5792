"""All short sequences of bytes, and what a decoder makes of them, as digests.

Takes a decoder, gives a digest for each family of bodies: `one` byte and `two` bytes alone (so that the end cuts them
off), `lines` of all pairs, `three` bytes, `ends` of long sequences, the `four`-byte range of gb18030, the `escapes` of
ISO-2022-JP four by four, and `noise`, where errors follow errors. `walk.js` is the same walk in a browser.
"""

import hashlib
from collections.abc import Callable, Iterator
from itertools import product

_EVERY = range(256)
_THIRDS = (0x0A, 0x22, 0x30, 0x3C, 0x41, 0x5C, 0x7F, 0x80, 0x8E, 0x8F, 0xA1, 0xA2, 0xB7, 0xC9, 0xFE, 0xFF)
_TOKENS = (
    *(b"\x1b(B", b"\x1b(J", b"\x1b(I", b"\x1b$B", b"\x1b$@", b"\x1b", b"\x1b$", b"\x1b(", b"$", b"B", b"\x21", b"\x5c"),
    *(b"\x7e", b"\x0e", b"\n", b"\x80", b"\x30\x21", b"\x2d\x21"),
)


def one() -> Iterator[bytes]:
    return (bytes((a,)) for a in _EVERY)


def two() -> Iterator[bytes]:
    return map(bytes, product(_EVERY, _EVERY))


def lines() -> Iterator[bytes]:
    return (b"".join(bytes((a, b, 10)) for b in _EVERY) for a in _EVERY)


def three() -> Iterator[bytes]:
    return (b"".join(bytes((a, b, c, 10)) for b in _EVERY for c in _THIRDS) for a in _EVERY)


def ends() -> Iterator[bytes]:
    return (bytes((0x41, 0x8F, a, b)) for a in _EVERY for b in _EVERY[0x20:])


def four() -> Iterator[bytes]:
    digits, leads = range(0x30, 0x3A), range(0x81, 0xFF)
    return (b"".join(map(bytes, product((a,), digits, leads, digits))) for a in leads)


def escapes() -> Iterator[bytes]:
    return map(b"".join, product(_TOKENS, repeat=4))


def noise() -> Iterator[bytes]:
    state = 1
    for _ in range(3000):
        body = []
        for _ in range(40):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            byte = state >> 16 & 0xFF
            # Half of it from where the leads and digits are, so that long sequences come about and break.
            body.append(byte if state & 0x4000 else 0x81 + byte % 126 if byte & 1 else 0x30 + byte % 12)
        yield bytes(body)


FAMILIES = {family.__name__: family for family in (one, two, lines, three, ends, four, escapes, noise)}


def digests(decode: Callable[[bytes], str], families: frozenset[str] = frozenset(FAMILIES)) -> dict[str, str]:
    """What this decoder makes of these families."""
    found = {}
    for name in FAMILIES:
        if name in families:
            text = "".join(f"{decode(body)}\u0001" for body in FAMILIES[name]())
            found[name] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found
