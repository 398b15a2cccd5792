"""This process and its machine: versions, settings, open files."""

from __future__ import annotations

import resource
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from contract.logs import masked
from contract.private import PRIVATE_MODE
from contract.settings import Settings
from penstock import __version__
from penstock.doctor.finding import Finding, bad, ok, warn
from scraper.spider_path import OURS

#: The libraries that matter to a question about what goes wrong.
PACKAGES = ("celery", "kombu", "redis", "hiredis", "httpx", "aiohttp", "selectolax", "sqlalchemy", "msgspec")
OLDEST_PYTHON = (3, 11)
#: Beside one connection for each request in flight: idle ones kept alive, segments, logs.
_OTHER_FILES = 512
_SECRETS = ("api_token", "webhook_secret")


def python_version(found: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """Whether Python is new enough."""
    text = f"Python {'.'.join(map(str, found))}, penstock {__version__}"
    if found[:2] < OLDEST_PYTHON:
        return bad("python", text, "install Python 3.11 or later")
    return ok("python", text)


def packages(names: Iterable[str] = PACKAGES) -> Finding:
    """Whether the libraries are there, and their versions."""
    found = {name: _version(name) for name in names}
    if missing := [name for name, text in found.items() if text is None]:
        return bad("packages", f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return ok("packages", ", ".join(f"{name} {text}" for name, text in found.items()))


def suffix_list(date: str | None) -> Finding:
    """When the public suffix list was made, by which `--scope domain` tells domains apart."""
    if date is None:
        return warn("public suffix list", "it does not say when it was made", "reinstall publicsuffixlist")
    return ok("public suffix list", f"of {date}")


def our_packages(path: Sequence[str] | None = None) -> Finding:
    """Whether `contract`, `scheduler`, ... are ours: another library's or folder's of that name hides one of ours."""
    home = Path(__file__).parents[2]
    found = {name: PathFinder.find_spec(name, path) for name in OURS}
    others = [spec.origin or name for name, spec in found.items() if spec and not _lies_in(home, spec)]
    if others:
        return bad("our packages", f"hidden by {', '.join(sorted(others))}", "rename it, or uninstall what brought it")
    return ok("our packages", f"in {home}")


def _lies_in(home: Path, spec: ModuleSpec) -> bool:
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    return all(Path(place).is_relative_to(home) for place in places)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def settings_given(settings: Settings, origins: Mapping[str, str]) -> list[Finding]:
    """Each setting that is not left to its default, with where it was set; no secrets."""
    found = [
        ok(f"setting {name}", f"{_shown(name, getattr(settings, name))} (from {where})")
        for name, where in sorted(origins.items())
    ]
    return found or [ok("settings", "all left to their defaults")]


def _shown(name: str, value: Any) -> str:
    if name in _SECRETS:
        return "***" if value else "empty"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return masked(text) or "empty"


def privacy(folder: Path) -> list[Finding]:
    """Whether somebody else than its owner can look into the data folder; nothing where there is none."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError:
        return []
    if mode & ~PRIVATE_MODE:
        return [warn("data folder", f"{folder} is open to others (mode {mode:04o})", f"chmod -R go= {folder}")]
    return [ok("data folder", f"{folder}, for its owner alone")]


def contact(settings: Settings) -> Finding:
    """Whether the owner of a site can tell from our requests whom to ask."""
    if settings.contact or settings.user_agent:
        return ok("contact", settings.contact or "as the user agent says")
    mend = "set PENSTOCK_CONTACT, or --contact, to a mail address or a page of yours"
    return warn("contact", "the user agent names nobody whom a site's owner could ask", mend)


def open_files(settings: Settings, most: int | None = None) -> Finding:
    """Whether a fetch process may have as many files open as it has requests in flight."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if most is None else most
    needed = settings.concurrency + _OTHER_FILES
    if most == resource.RLIM_INFINITY:
        return ok("open files", "no limit")
    text = f"at most {most:,} in one process; {needed:,} are wanted for concurrency {settings.concurrency}"
    if most < needed:
        return warn("open files", text, "raise the hard limit (ulimit -Hn, LimitNOFILE=, ulimits: in compose)")
    return ok("open files", text)
