"""Where a spider's own modules are looked for: its folder, before all that is installed, but behind what is ours.

Takes folders, owns one finder at the head of `sys.meta_path`. A spider that says `import events` gets the `events/`
beside it, whatever library of that name is installed; neither we nor what we are built on ever get a module of a
spider's folder. So three kinds of names are not looked up there: Python's own, our packages, and the libraries that
Penstock is installed with.
"""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

#: What this distribution is called in an index.
DISTRIBUTION = "penstock-crawler"
#: The packages that it brings; each is a name that a spider's folder cannot have for itself.
OURS = frozenset({"contract", "scheduler", "scraper", "storage", "penstock"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class SpiderFinder:
    """Finds top-level modules in the folders of spiders (`importlib.abc.MetaPathFinder`)."""

    def __init__(self) -> None:
        self.folders: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name beside a spider, if there is one and the name is free to be the spider's."""
        if path is not None or name in OURS or name in sys.stdlib_module_names:
            return None
        spec = PathFinder.find_spec(name, self.folders)
        if spec is None or (PathFinder.find_spec(name) is not None and name in names_we_need()):
            return None
        return spec


_FINDER = SpiderFinder()


def add_folder(folder: Path) -> None:
    """Let what stands in this folder be found by the spiders there."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    if str(folder) not in _FINDER.folders:
        _FINDER.folders.append(str(folder))


def taken_names(folder: Path) -> list[str]:
    """Our names that this folder has too, as a module or a package: what a spider there cannot import."""
    return sorted(name for name in OURS if PathFinder.find_spec(name, [str(folder)]) is not None)


@cache
def names_we_need() -> frozenset[str]:
    """The top-level modules of all that Penstock is installed with; of all there is, where it runs uninstalled."""
    wanted, known = [DISTRIBUTION], set[str]()
    while wanted:
        name = _plain(wanted.pop())
        if name in known:
            continue
        known.add(name)
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        wanted += [
            found[0] for need in needs if (found := _NAME.match(need)) and _is_met(need, of_ours=len(known) == 1)
        ]
    owners = importlib.metadata.packages_distributions()
    if known == {DISTRIBUTION}:
        return frozenset(owners)
    return frozenset(module for module, names in owners.items() if known & {_plain(name) for name in names})


def _is_met(need: str, *, of_ours: bool) -> bool:
    """Whether this comes along with us: always, or by an extra of ours that is not for development alone."""
    return "extra ==" not in need or (of_ours and "dev" not in need.partition("extra ==")[2])


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
