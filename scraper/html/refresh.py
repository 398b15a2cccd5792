"""Where a refresh leads: the `content` of `<meta http-equiv=refresh>`, and the header `Refresh`.

Takes the text, gives the URL as it is written there, empty for the page itself, None for what is no refresh.
Source: https://html.spec.whatwg.org/multipage/semantics.html#attr-meta-http-equiv-refresh
"""

import re

#: It begins with a time, of which at least one digit or a point is there, and what follows is parted from it.
_BEGINNING = re.compile(r"[\t\n\f\r ]*(?:[0-9]+|(?=\.))[0-9.]*(?:(?=[;,\t\n\f\r ])[\t\n\f\r ]*[;,]?[\t\n\f\r ]*|\Z)")
_NAME = re.compile(r"url[\t\n\f\r ]*=[\t\n\f\r ]*", re.IGNORECASE)


def refresh_target(text: str) -> str | None:
    """The URL that a refresh names."""
    beginning = _BEGINNING.match(text)
    if not beginning:
        return None
    rest = text[beginning.end() :]
    if name := _NAME.match(rest):
        rest = rest[name.end() :]
    return rest[1:].partition(rest[0])[0] if rest[:1] in ('"', "'") and rest else rest
