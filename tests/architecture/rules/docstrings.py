"""Each module opens by saying what it takes, gives and owns; each public name says what it is in a sentence.

Public is a class or function at the top of a module without a leading underscore, and such a method of a
class that has no base. Where there is a base, a method may be one that the base describes already.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.rules.sources import Function, Source, docstring_of

#: What says that a function's sentence stands elsewhere.
EXCUSES = {"overload", "setter"}


def missing_docstrings(sources: Iterable[Source]) -> list[str]:
    """Modules and public names that do not introduce themselves."""
    breaches = []
    for source in sources:
        if not _says_something(source.tree):
            breaches.append(f"{source.path}: does not open with a docstring")
        for name, node in _public(source.tree.body):
            if not _says_something(node):
                breaches.append(f"{source.path}:{node.lineno}: {name} has no docstring")
    return breaches


def _public(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, ast.ClassDef | Function]]:
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _public([*node.body, *node.orelse], owner)
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_") or _is_excused(node):
            continue
        yield owner + node.name, node
        if isinstance(node, ast.ClassDef) and not node.bases:
            yield from _public(node.body, f"{node.name}.")


def _is_excused(node: ast.ClassDef | Function) -> bool:
    marks = (getattr(mark, "attr", getattr(mark, "id", "")) for mark in node.decorator_list)
    return not EXCUSES.isdisjoint(marks)


def _says_something(node: ast.Module | ast.ClassDef | Function) -> bool:
    found = docstring_of(node)
    return found is not None and bool(ast.get_docstring(node).strip())
