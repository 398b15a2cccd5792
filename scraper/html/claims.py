"""What a page's `<meta>` elements claim of it.

Takes their names, properties and contents, gives what people look for: a description, Open Graph (`og:`, `article:`
and its other kinds of object) and Twitter cards. Some write `name` where `property` is meant, and the other way round.
"""

from collections.abc import Iterable

#: What is kept of a page at most: properties, values of one, characters of each.
MAX_PROPERTIES, MAX_VALUES, MAX_PROPERTY_CHARS = 100, 20, 2_000
_KINDS = ("og:", "article:", "book:", "profile:", "video:", "music:", "product:", "fb:", "twitter:")

#: A value, or the values in their order where there are several.
Values = dict[str, str | list[str]]


def claims(metas: Iterable[tuple[str, str, str]]) -> tuple[str | None, Values]:
    """The description, and all other properties by their names, of (name, property, content)."""
    description = None
    properties: Values = {}
    for name, meant, content in metas:
        for word in dict.fromkeys((*meant.lower().split(), name.strip().lower())):
            if word == "description":
                description = description or _cleaned(content) or None
            elif word.startswith(_KINDS):
                _add(properties, word, content)
    said = description or _first(properties.get("og:description")) or _first(properties.get("twitter:description"))
    return said, properties


def _add(values: Values, name: str, content: str) -> None:
    value, known = _cleaned(content), values.get(name)
    if known is None:
        if len(values) < MAX_PROPERTIES and len(name) <= MAX_PROPERTY_CHARS:
            values[name] = value
    elif isinstance(known, str):
        # The same again, as some pages say it by name and by property, is said once.
        values[name] = known if known == value else [known, value]
    elif value not in known and len(known) < MAX_VALUES:
        known.append(value)


def _cleaned(content: str) -> str:
    return " ".join(content.split())[:MAX_PROPERTY_CHARS]


def _first(values: str | list[str] | None) -> str | None:
    return values[0] if isinstance(values, list) else values
