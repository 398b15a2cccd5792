"""Percent-encodings that mean the same (RFC 3986 §6.2.2): takes texts, gives the one spelling of each. Pure."""

import re

_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
#: RFC 3986 §2.3: whether these are escaped makes no difference.
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _spelled(escape: str) -> str:
    char = chr(int(escape[1:], 16))
    return char if char in _UNRESERVED else escape.upper()


_DIGITS = "0123456789abcdefABCDEF"
_SPELLINGS = {escape: _spelled(escape) for high in _DIGITS for low in _DIGITS for escape in (f"%{high}{low}",)}


def one_spelling(text: str) -> str:
    """The text with unreserved characters unescaped (§6.2.2.2), and other escapes in capitals (§6.2.2.1).

    Reserved characters stay as they are found: `%2F` is no `/`.
    """
    return _ESCAPE.sub(lambda found: _SPELLINGS[found[0]], text) if "%" in text else text
