"""Text that may be shown to a person or written to a log, whoever said it. Pure functions."""

import re

#: Control and direction characters, and lone surrogates.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSWORD = re.compile(r"(\w+://[^\s/:@]*:)[^\s/]+@")
_PASSWORD_OPTION = re.compile(r"([?&]\w*password=)[^&\s'\"]+")


def visible(text: str) -> str:
    """The text with control and direction characters spelled out, so that any terminal shows it on one line."""
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def masked(text: str) -> str:
    """The text with passwords in URLs replaced by stars."""
    return _PASSWORD_OPTION.sub(r"\1***", _PASSWORD.sub(r"\1***@", text))
