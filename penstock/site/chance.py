"""Numbers that look random and are a function of their arguments: one seed, one web, one set of faults."""

from hashlib import blake2b

_RANGE = 2**64


def draw(*parts: object) -> int:
    """A 64-bit number that depends on nothing but `parts`."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def fraction(*parts: object) -> float:
    """A number from 0 (included) to 1 (excluded) that depends on nothing but `parts`."""
    return draw(*parts) / _RANGE
