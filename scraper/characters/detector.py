"""A guess at the encoding of a page that declares none, as Firefox makes it.

Takes a body and its URL, gives an encoding's name. The rules are chardetng's; the library comes with the extra
`detector`. They know letters and pairs of letters of the languages of each encoding, and the country of the host.
"""

import functools
import importlib.util
from urllib.parse import urlsplit

from contract.errors import Refused
from scraper.characters.labels import encoding_named

#: How much of a body is looked at, in bytes. It costs about 0.3 µs a byte, and more would seldom change the guess.
_LOOKED_AT_BYTES = 65_536
_LIBRARY = "chardetng_py"


class NoDetector(Refused):
    """Raised where guesses are asked for and the library that makes them is not there."""


@functools.cache
def check_detector() -> None:
    """Raise `NoDetector` where no guess could be made."""
    if importlib.util.find_spec(_LIBRARY) is None:
        raise NoDetector("--detect-encoding needs a library: pip install 'penstock-crawler[detector]'")


def guessed(body: bytes, url: str) -> str | None:
    """The most likely legacy encoding of a body; None where there is nothing to tell it by. Raises `NoDetector`."""
    check_detector()
    from chardetng_py import EncodingDetector

    detector = EncodingDetector()
    detector.feed(body[:_LOOKED_AT_BYTES], last=len(body) <= _LOOKED_AT_BYTES)
    return encoding_named(detector.guess(tld=_country(url), allow_utf8=False))


def _country(url: str) -> bytes | None:
    """The last label of the host's name."""
    label = (urlsplit(url).hostname or "").rstrip(".").rpartition(".")[2].lower()
    return label.encode() if label.isascii() and label.replace("-", "").isalnum() and not label[-1:].isdigit() else None
