"""A function of a spider, called for a page: what it gives, and where it gave what is no item.

Takes a function and a page, gives items one by one. Errors that are ours to raise know the line of the user's file that
is to be mended (`where`), for no traceback leads there: a generator only waits at its `yield`.
"""

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CoroutineType, GeneratorType
from typing import Any

from scraper.items import Given, NotJson
from scraper.page import Follow, Page


def given_by(function: Callable[[Page], Any], page: Page) -> Given:
    """Type and data of what a function gives; raises TypeError for what is neither a dict nor a link to follow."""
    name, result = function.__name__, function(page)
    for one in _each(result):
        if isinstance(one, dict):
            try:
                yield name, one
            except NotJson as error:
                raise at(error, _line_of(function, result)) from None
        elif one is not None and not isinstance(one, Follow):
            if isinstance(one, CoroutineType):
                one.close()
            kind = type(one).__name__
            why = f"{name} gave a {kind}; it may give dicts and page.follow(...){_hint(one)}"
            raise at(TypeError(why), _line_of(function, result))


def _each(result: Any) -> Iterable[Any]:
    whole = isinstance(result, dict | str | bytes) or not isinstance(result, Iterable)
    return (result,) if whole else result


def _hint(one: Any) -> str:
    if dataclasses.is_dataclass(one):
        return ": dataclasses.asdict(...) makes one of it"
    if isinstance(one, CoroutineType) or hasattr(one, "__aiter__"):
        return ": write def, not async def"
    return ""


def _line_of(function: Callable[[Page], Any], result: Any) -> str:
    """Where a function is: the line at which it waits, or its first one."""
    code = getattr(function, "__code__", None)
    if isinstance(result, GeneratorType) and result.gi_frame is not None:
        return f"{Path(result.gi_code.co_filename).name}:{result.gi_frame.f_lineno}"
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}" if code else ""


def at(error: Exception, where: str) -> Exception:
    """The error, which knows its line."""
    error.where = where  # type: ignore[attr-defined]
    return error
