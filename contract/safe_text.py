"""Text that may be shown to a person or written to a log, whoever said it. Pure functions."""

import re

#: Control characters, what Unicode calls Bidi_Control (UAX #9), line and paragraph separators, and lone surrogates.
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: Stands for what is not shown.
STARS = "***"
#: A site takes what stands before the @ for a token if it has no colon; a database's or a Redis' user is no secret.
_USER = re.compile(r"(?i)\b(https?://)[^\s/?#:@]+@")
_PASSWORD = re.compile(r"(\w+://[^\s/:@]*:)[^\s/]+@")
#: What stands before the @ of a URL's authority; browsers read a backslash as a slash.
_CREDENTIALS = re.compile(r"^(https?:[/\\]{2})[^/\\?#]*@", re.IGNORECASE)
_PASSWORD_OPTION = re.compile(r"([?&]\w*password=)[^&\s'\"]+")


def visible(text: str) -> str:
    """The text with control and direction characters spelled out, so that any terminal shows it on one line."""
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def masked(text: str) -> str:
    """The text with passwords in URLs replaced by stars."""
    return _PASSWORD_OPTION.sub(rf"\1{STARS}", _PASSWORD.sub(rf"\1{STARS}@", _USER.sub(rf"\1{STARS}@", text)))


def without_credentials(url: str) -> str:
    """An absolute http or https URL without user name and password, which are sent nowhere and kept nowhere."""
    return _CREDENTIALS.sub(r"\1", url) if "@" in url else url
