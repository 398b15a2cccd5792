"""No module but contract/keys.py spells a Redis key.

The words of keys are read from contract/keys.py itself (`queue`, `seen`, ...). Elsewhere a string spells a
key if it

- starts with the root (`penstock:`) or holds its hash tag (`{0}:`), or
- has no blank, and one of those words, then a colon, then its end or a hole or `*`: `"seen:"`, `"due:%s"`,
  `f"{root}queue:{crawl}"`; `host:port`, `og:title` and `crawl: %s` are no keys; or
- is put together from the root of a `Keys`: `f"{keys.root}lock"`, `keys.root + "lock"`.

Docstrings may speak of keys.
"""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.architecture.rules.sources import Function, Source, docstring_of

CATALOGUE = "contract.keys"

_HOLE = "\0"
_WRITTEN_HOLES = re.compile(r"%[sd]|\{\w*\}")
_ROOT = re.compile(rf"^penstock:[^\s]|\{{(\d|{_HOLE})\}}:")


def keys_spelled_elsewhere(sources: Iterable[Source]) -> list[str]:
    """Strings outside contract/keys.py that are, or begin, a Redis key."""
    sources = list(sources)
    words = {word for source in sources if source.module == CATALOGUE for word in key_words(source.tree)}
    return [
        f"{source.path}:{line}: {text.replace(_HOLE, '{}')!r} spells a Redis key; name it in contract/keys.py"
        for source in sources
        if source.module != CATALOGUE
        for text, line in [*_strings(source.tree), *_grown_from_root(source.tree)]
        if _spells_a_key(text, words)
    ]


def key_words(tree: ast.Module) -> set[str]:
    """The words that stand before a colon in the strings of contract/keys.py."""
    return {word for text, _ in _strings(tree) for word in re.findall(r"([a-z_]+):", text)}


def _spells_a_key(text: str, words: set[str]) -> bool:
    if _ROOT.search(text) or text.startswith("<root>"):
        return True
    text = _WRITTEN_HOLES.sub(_HOLE, text)
    found = re.findall(rf"(?<![\w.-])([a-z_]+):(?=[{_HOLE}*]|$)", text)
    return not re.search(r"\s", text) and not words.isdisjoint(found)


def _strings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every string that is no docstring, with its line; what a f-string fills in is a hole."""
    skip = set(_docstrings(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                "".join(
                    str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else _HOLE for part in node.values
                ),
                node.lineno,
            )
            skip.update(map(id, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skip:
            yield node.value, node.lineno


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | Function) and (found := docstring_of(node)):
            yield id(found.value)


def _grown_from_root(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=[ast.FormattedValue(value=first), _, *_]) | ast.BinOp(left=first, op=ast.Add()):
                if _is_root_of_keys(first):
                    yield f"<root>{ast.unparse(node)}", node.lineno


def _is_root_of_keys(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr="root"):
            return "keys" in owner.lower()
    return False
