"""Python files → their syntax trees: what every rule looks at.

A rule is a function from sources to breaches; each breach is one line that names place and fault.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SERVICES = ("scheduler", "scraper", "storage")
PACKAGES = ("contract", *SERVICES, "penstock")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: where it lies below the root, its dotted module name, and its syntax tree."""

    path: Path
    module: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level package it belongs to."""
        return self.module.partition(".")[0]

    @property
    def is_package(self) -> bool:
        """Whether it is the `__init__.py` of a package."""
        return self.path.name == "__init__.py"


@cache
def read_sources(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> tuple[Source, ...]:
    """Every Python file of these packages, in order of path."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    return tuple(_read(path.relative_to(root), path.read_text("utf-8")) for path in paths)


@dataclass(frozen=True)
class Script:
    """One Lua file: where it lies below the root, and its text."""

    path: Path
    text: str

    @property
    def package(self) -> str:
        """The top-level package it belongs to."""
        return self.path.parts[0]


@cache
def read_scripts(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> tuple[Script, ...]:
    """Every Lua file of these packages, in order of path."""
    paths = [path for package in packages for path in sorted((root / package).rglob("*.lua"))]
    return tuple(Script(path.relative_to(root), path.read_text("utf-8")) for path in paths)


def expect_none(breaches: Iterable[str]) -> None:
    """Fail with one line per breach, if there is one."""
    found = list(breaches)
    assert not found, "\n".join(["", *found])


def made_up(files: Mapping[str, str]) -> list[Source]:
    """Sources that lie nowhere, for tests of a rule: path to text."""
    return [_read(Path(path), text) for path, text in files.items()]


def _read(path: Path, text: str) -> Source:
    parts = path.with_suffix("").parts
    module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Source(path, module, ast.parse(text, str(path)))


def docstring_of(node: ast.Module | ast.ClassDef | Function) -> ast.Expr | None:
    """The statement that is this node's docstring, if it has one."""
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first
    return None


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call in a tree, with the last word of what is called: `Consumer` for `bus.Consumer(...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name, node
