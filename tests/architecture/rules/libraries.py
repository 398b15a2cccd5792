"""What the code imports is declared in pyproject.toml, and what is declared is pinned in constraints.txt."""

import re
import sys
from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.architecture.rules.imports import imports_of
from tests.architecture.rules.sources import PACKAGES, Source


def undeclared_libraries(
    sources: Iterable[Source], *, declared: Iterable[str], owners: Mapping[str, list[str]]
) -> list[str]:
    """Imports that pyproject.toml does not ask for; `owners` maps import names to distributions."""
    names = {canonicalize_name(Requirement(line).name) for line in declared}
    breaches = []
    for source in sources:
        for target, line in imports_of(source):
            top = target.partition(".")[0]
            if top in PACKAGES or top in sys.stdlib_module_names:
                continue
            if names.isdisjoint(map(canonicalize_name, owners.get(top, [top]))):
                breaches.append(f"{source.path}:{line}: imports {top}, which pyproject.toml does not ask for")
    return breaches


def loose_requirements(declared: Iterable[str], constraints: str) -> list[str]:
    """Requirements that constraints.txt does not pin, or pins to a version that they refuse."""
    pins = {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", constraints, re.M)}
    breaches = []
    for requirement in map(Requirement, declared):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            breaches.append(f"{requirement} is pinned to {version}: run make lock")
    return breaches


def odd_lines(constraints: str) -> list[str]:
    """Lines that are no plain pin: addresses, options, paths, whatever else ties the file to one machine."""
    plain = re.compile(r"[a-z0-9.-]+==[\w.!+]+( ; [\w.<>=!' ()]+)?")
    return [line for line in constraints.splitlines() if not plain.fullmatch(line)]
