"""The import law (DESIGN.md, section 2): who may import whom, and no module may import itself in a circle.

It counts wherever it stands: in a function, under TYPE_CHECKING, relative, or as `import_module("...")`.
"""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter

from tests.architecture.rules.sources import PACKAGES, SERVICES, Source, calls

MAY_IMPORT = {
    "contract": {"contract"},
    **{service: {"contract", service} for service in SERVICES},
    "penstock": set(PACKAGES),
}
#: Folders beside the packages; what ships may not lean on what does not.
NOT_SHIPPED = {"tests", "benchmarks", "examples", "tools"}


def forbidden_imports(sources: Iterable[Source]) -> list[str]:
    """Imports of a package that the law keeps away from the importer."""
    breaches = []
    for source in sources:
        for target, line in imports_of(source):
            package = target.partition(".")[0]
            if package in NOT_SHIPPED or package in set(PACKAGES) - MAY_IMPORT[source.package]:
                breaches.append(f"{source.path}:{line}: {source.package} may not import {target}")
    return breaches


def import_cycles(sources: Iterable[Source]) -> list[str]:
    """Circles of modules that import one another; cutting one circle at a time until none is left."""
    sources = list(sources)
    modules = {source.module for source in sources}
    graph = {source.module: _edges(source, modules) for source in sources}
    breaches = []
    while circle := _circle(graph):
        breaches.append("circle of imports: " + " → ".join(reversed(circle)))
        graph[circle[1]].discard(circle[0])
    return breaches


def _edges(source: Source, modules: set[str]) -> set[str]:
    """The modules of ours that it imports; itself only if it names itself."""
    return {module for target, _ in imports_of(source) if (module := _module_of(target, modules))}


def _module_of(target: str, modules: set[str]) -> str | None:
    """`contract.keys.Keys` lives in `contract.keys`."""
    while target and target not in modules:
        target = target.rpartition(".")[0]
    return target or None


def _circle(graph: dict[str, set[str]]) -> list[str] | None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def imports_of(source: Source) -> Iterator[tuple[str, int]]:
    """Every dotted name that a source imports, made absolute, with the line it stands on."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(source, node)
            yield from ((f"{base}.{alias.name}".strip(".*"), node.lineno) for alias in node.names)
    for name, call in calls(source.tree):
        if name in ("import_module", "__import__") and call.args and isinstance(call.args[0], ast.Constant):
            yield str(call.args[0].value), call.lineno


def _absolute(source: Source, node: ast.ImportFrom) -> str:
    """The dotted name after `from`, with leading dots worked out."""
    if not node.level:
        return node.module or ""
    here = source.module.split(".")
    climb = node.level - 1 if source.is_package else node.level
    return ".".join([*here[: len(here) - climb], *([node.module] if node.module else [])])
