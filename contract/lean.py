"""Imports of large libraries without what they bring along only because it happens to be installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Have imports inside the block not find these modules; whoever asks for them afterwards finds them.

    For libraries that do with less where a module is missing. What is imported already stays.
    """
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(hidden))  # None is Python's own way to say that a module cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
