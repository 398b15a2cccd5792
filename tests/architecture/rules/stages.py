"""The map (contract/topology.py) against the code, both ways.

A stage is a module of its name; its docstring opens with its arrow: `page.fetched → page.parsed: what it
does`. Left of the arrow stands all that it takes, right of it all that it gives: type names, `page.*` for
all of its types with that noun, or `every event`. Words without a dot (`frontier`, `read models`) are
places, and not looked at.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from tests.architecture.rules.sources import SERVICES, Script, Source, calls, docstring_of

#: Where stages may be: in the services, and at the front door. The contract and the bus have none.
HOMES = (*SERVICES, "penstock")

ARROW = re.compile(r"(?P<takes>[^:→]+) → (?P<gives>[^:→]+): \S")
#: How a script makes a message: `say('page.fetch', ...)`.
SAID = re.compile(r"""\bsay\(['"]([\w.]+)['"]""")
EVERY_EVENT = "every event"


class OnTheMap(Protocol):
    """What these rules need to know of a stage."""

    name: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]


def stages_without_module(stages: Iterable[OnTheMap], sources: Iterable[Source]) -> list[str]:
    """Stages whose name is no module of a service or of the front door."""
    modules = {source.module for source in sources if source.package in HOMES}
    return [f"{stage.name} is on the map, but there is no such module" for stage in stages if stage.name not in modules]


def consumers_off_the_map(sources: Iterable[Source], *, constants: Mapping[str, str]) -> list[str]:
    """Modules outside of the bus that build a `Consumer(bus, STAGE)` and are not that stage, nor a part of it.

    `constants` maps the names of the stages' constants in contract/topology.py to the stages' names.
    """
    return [
        f"{source.path}:{call.lineno}: builds a Consumer of {ast.unparse(stage)}, but is {source.module}"
        for source in sources
        if source.package in HOMES
        for name, call in calls(source.tree)
        if name == "Consumer"
        for stage in [call.args[1] if len(call.args) > 1 else call]
        if not f"{source.module}.".startswith(f"{constants.get(_last_word(stage))}.")
    ]


def _last_word(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def wrong_arrows(stages: Iterable[OnTheMap], sources: Iterable[Source], *, events: Sequence[str]) -> list[str]:
    """Stages whose docstring does not open with what the map says of them."""
    by_module = {source.module: source for source in sources}
    breaches = []
    for stage in stages:
        if source := by_module.get(stage.name):
            arrow = ARROW.match(_first_line(source))
            if arrow is None:
                breaches.append(f"{source.path}: the docstring does not open with `takes → gives: ...`")
                continue
            breaches += _unlike(source, "takes", arrow["takes"], stage.takes, events)
            breaches += _unlike(source, "gives", arrow["gives"], stage.gives, events)
    return breaches


def _first_line(source: Source) -> str:
    found = docstring_of(source.tree)
    return "" if found is None else found.value.value.splitlines()[0]


def _unlike(source: Source, side: str, text: str, on_the_map: Sequence[str], events: Sequence[str]) -> list[str]:
    terms = [term.strip() for term in re.split(r",| or | and ", text)]
    said = {term for term in terms if "." in term}
    if EVERY_EVENT in terms:
        said.update(events)
    unsaid = [name for name in on_the_map if not any(fnmatchcase(name, term) for term in said)]
    untrue = [term for term in sorted(said) if not any(fnmatchcase(name, term) for name in on_the_map)]
    return [
        *(f"{source.path}: {side} {name} by the map, but its docstring does not say so" for name in unsaid),
        *(f"{source.path}: {side} {term} by its docstring, but not by the map" for term in untrue),
    ]


def unlike_the_registry(stages: Iterable[OnTheMap], registered: Iterable[str], *, commands: Iterable[str]) -> list[str]:
    """Types that only one of map and registry knows, or that lack giver or taker; people give commands."""
    stages, registered = list(stages), set(registered)
    taken = {name for stage in stages for name in stage.takes}
    given = {name for stage in stages for name in stage.gives} | set(commands)
    return [
        *(
            f"{name} is on the map, but no message is registered for it"
            for name in sorted((taken | given) - registered)
        ),
        *(f"{name} is registered, but no stage takes it" for name in sorted(registered - taken)),
        *(f"{name} is registered, but nobody gives it" for name in sorted(registered - given)),
    ]


def messages_off_the_map(
    sources: Iterable[Source | Script], *, gives: Mapping[str, Iterable[str]], types: Mapping[str, str]
) -> list[str]:
    """Messages that a package makes and does not give by the map; `types` maps class names to type names."""
    return [
        f"{source.path}:{line}: makes {name}, which no stage of {source.package} gives"
        for source in sources
        if source.package in gives
        for name, line in _made(source, types)
        if name not in gives[source.package]
    ]


def gives_never_made(
    sources: Iterable[Source | Script], *, gives: Mapping[str, Iterable[str]], types: Mapping[str, str]
) -> list[str]:
    """Types that a package gives by the map, though nothing in it makes one."""
    sources = list(sources)
    made = {(source.package, name) for source in sources for name, _ in _made(source, types)}
    return [
        f"{package} gives {name} by the map, but makes none"
        for package, names in gives.items()
        for name in names
        if (package, name) not in made
    ]


def _made(source: Source | Script, types: Mapping[str, str]) -> list[tuple[str, int]]:
    """The type names of the messages that a source makes, with the lines; a renamed class counts too."""
    if isinstance(source, Script):
        lines = enumerate(source.text.splitlines(), 1)
        return [(name, number) for number, line in lines for name in SAID.findall(line)]
    renamed = _renamed(source)
    found = ((renamed.get(name, name), call.lineno) for name, call in calls(source.tree))
    return [(types[name], line) for name, line in found if name in types]


def _renamed(source: Source) -> dict[str, str]:
    imports = (node for node in ast.walk(source.tree) if isinstance(node, ast.ImportFrom))
    return {alias.asname: alias.name for node in imports for alias in node.names if alias.asname}
