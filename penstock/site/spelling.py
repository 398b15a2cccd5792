"""The many ways to write one link: absolute, relative, with a fragment, in odd case; all mean one URL."""

from collections.abc import Callable
from html import escape

#: As in `http://host/`.
_SLASHES_OF_ROOT = 3


def spelled(target: str, *, base: str, pick: int) -> str:
    """`target` (canonical, absolute) as an attribute value that resolves to it, fragment aside."""
    origin = base[: base.index("/", len("http://")) + 1]
    ways = _WAYS_ON_ONE_HOST if target.startswith(origin) else _WAYS_ACROSS_HOSTS
    return escape(ways[pick % len(ways)](target, base))


def _absolute(target: str, _base: str) -> str:
    return target


def _without_scheme(target: str, _base: str) -> str:
    return target.removeprefix("http:")


def _upper_case_scheme(target: str, _base: str) -> str:
    return "HTTP" + target.removeprefix("http")


def _from_root(target: str, _base: str) -> str:
    return "/" + target.split("/", 3)[3]


def _with_fragment(target: str, base: str) -> str:
    return _from_root(target, base) + "#more"


def _relative(target: str, base: str) -> str:
    folders = base.partition("?")[0].count("/") - _SLASHES_OF_ROOT
    return ("../" * folders or "./") + target.split("/", 3)[3]


def _roundabout(target: str, base: str) -> str:
    return "/a/.././b/../" + target.split("/", 3)[3]


def _with_spaces(target: str, base: str) -> str:
    return f"\n  {_from_root(target, base)} "


_Way = Callable[[str, str], str]
_WAYS_ACROSS_HOSTS: tuple[_Way, ...] = (*(_absolute,) * 6, _without_scheme, _upper_case_scheme)
_WAYS_ON_ONE_HOST: tuple[_Way, ...] = (
    *(_from_root,) * 8,
    *(_relative,) * 6,
    *(_absolute,) * 4,
    _with_fragment,
    _roundabout,
    _with_spaces,
    _upper_case_scheme,
)
