"""Caps on size: a file of at most 300 lines, a function of at most 25. There is no list of exceptions.

A file's length is its number of lines, all of them. A function's length is one for its signature, however
many lines that takes, plus the lines from its first statement after the docstring to its last one, with the
comments and blank lines between them. Decorators and the docstring do not count; an inner function counts
by itself and in its outer one.
"""

import ast
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.rules.sources import Function, Source, docstring_of

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 25


def long_files(root: Path, paths: Iterable[Path]) -> list[str]:
    """Files over the cap, with their length."""
    lengths = {path: len((root / path).read_text("utf-8").splitlines()) for path in paths}
    return [
        f"{path} has {length} lines; the cap is {MAX_FILE_LINES}: split it by idea"
        for path, length in lengths.items()
        if length > MAX_FILE_LINES
    ]


def long_functions(sources: Iterable[Source]) -> list[str]:
    """Functions over the cap, with their length."""
    return [
        f"{source.path}:{node.lineno}: {node.name} has {length} lines; the cap is {MAX_FUNCTION_LINES}"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, Function) and (length := function_length(node)) > MAX_FUNCTION_LINES
    ]


def function_length(node: Function) -> int:
    """A function's length in lines, counted as the head of this file says."""
    body = node.body[1:] if docstring_of(node) else node.body
    if not body:
        return 1
    first = min([body[0].lineno, *(mark.lineno for mark in getattr(body[0], "decorator_list", []))])
    return 1 + (body[-1].end_lineno or first) - first + 1
