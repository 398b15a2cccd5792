"""Patterns that are found in no URL at all, whatever else they say. Pure.

Takes a pattern that RE2 has read, gives why it is in vain, or None. Sound, not complete: the tree is Python's, so what
the two engines read in two ways is passed over, and what is not certain is left alone.
"""

from __future__ import annotations

import importlib
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

#: Python's reading of a regular expression; there is no public name for it.
_parser: Any = importlib.import_module("re._parser")
_names: Any = importlib.import_module("re._constants")

#: What Python reads otherwise than RE2, or in a way that the walk below does not know: `(?m)`, where lines have ends,
#: and classes of classes.
_OTHERWISE = re.compile(r"\(\?[a-zA-Z]*m|\[:")
_STARTS = [(_names.AT, _names.AT_BEGINNING), (_names.AT, _names.AT_BEGINNING_STRING)]
_BEGINNINGS = ("http://", "https://")
#: What no canonical URL has in front of its path: hosts are in small letters, and credentials are left out.
_NOT_IN_HOSTS = re.compile(r"^https?://[^/?#]*[A-Z @\\^|<>]")


def why_in_vain(pattern: str) -> str | None:
    """Why no URL, as written or as decoded, has this in it; None where one may."""
    if _OTHERWISE.search(pattern):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = _parser.parse(pattern)
        if _is_torn(tree, tree.state, before=0, after=0):
            return "^ and $ are the two ends of a URL, and something is asked for beyond"
        if _begins_in_vain(list(tree), ignores_case=bool(tree.state.flags & re.IGNORECASE)):
            return "^ is where a URL begins: with http:// or https://, and a host in small letters"
    except (re.error, RecursionError, OverflowError):
        pass
    return None


def _is_torn(items: Sequence[Any], state: Any, *, before: int, after: int) -> bool:
    """Whether each way through these items has something before a `^` or behind a `$`; at least so much is around."""
    widths = [_parser.SubPattern(state, [item]).getwidth()[0] for item in items]
    after += sum(widths)
    for (kind, said), width in zip(items, widths, strict=True):
        after -= width
        if kind is _names.AT and _is_beyond(said, before, after):
            return True
        if any(all(_is_torn(way, state, before=before, after=after) for way in ways) for ways in _ways(kind, said)):
            return True
        before += width
    return False


def _is_beyond(place: Any, before: int, after: int) -> bool:
    if place in (_names.AT_BEGINNING, _names.AT_BEGINNING_STRING):
        return before > 0
    return place in (_names.AT_END, _names.AT_END_STRING) and after > 0


def _ways(kind: Any, said: Any) -> Iterator[list[Sequence[Any]]]:
    """The ways through an item that has items of its own and has to be gone through; no list where it may be passed."""
    if kind is _names.SUBPATTERN:
        yield [said[-1]]
    elif kind is _names.BRANCH:
        yield said[1]
    elif kind in (_names.MAX_REPEAT, _names.MIN_REPEAT) and said[0] > 0:
        yield [said[2]]


def _begins_in_vain(items: list[Any], *, ignores_case: bool) -> bool:
    """Whether these can only be found where a URL begins, and no URL begins so."""
    if len(items) == 1:
        ways = [way for several in _ways(*items[0]) for way in several]
        return bool(ways) and all(_begins_in_vain(list(way), ignores_case=ignores_case) for way in ways)
    if not items or items[0] not in _STARTS:
        return False
    letters = list(itertools.takewhile(lambda item: item[0] is _names.LITERAL, items[1:]))
    text = "".join(chr(code) for _, code in letters)
    text = text.lower() if ignores_case else text
    is_whole = items[1 + len(letters) :] == [(_names.AT, _names.AT_END)]
    return not any(text.startswith(one) or (one.startswith(text) and not is_whole) for one in _BEGINNINGS) or bool(
        _NOT_IN_HOSTS.match(text)
    )
