"""Who answers for a crawl: a mail address or a page that a site's owner finds in the User-Agent and From headers.

Takes settings and seeds; asks a person at a terminal once, and keeps the answer in the settings file, "" for nobody.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from contract.crawls import DEFAULT_USER_AGENT
from contract.errors import Refused
from contract.settings import Settings, settings_file
from penstock.seeds import is_loopback
from scheduler.urls import canonical

_WANTED = re.compile(r"[!-'*-~]{3,200}")
_QUESTION = "penstock: a mail address or page of yours for the owners of sites that you crawl (empty: none): "


def user_agent_of(contact: str) -> str:
    """Our name with this contact; raises `Refused` for one that no header can hold."""
    if not _WANTED.fullmatch(contact):
        raise Refused("the contact must be a mail address or a URL: 3 to 200 ASCII characters without blanks and ( )")
    return f"{DEFAULT_USER_AGENT.partition(' ')[0]} (+{contact})"


def ask_contact(settings: Settings, seeds: Sequence[str]) -> str:
    """What is set, or what a person says who has not been asked yet; never waits where nobody sits at a terminal."""
    if settings.contact is not None or settings.user_agent or all(map(_is_ours, seeds)):
        return settings.contact or ""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    print(_QUESTION, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if line.strip():
        user_agent_of(line.strip())
    if line:
        _keep(line.strip(), settings_file())
    return line.strip()


def _is_ours(seed: str) -> bool:
    """Whether it is on this machine."""
    url = canonical(seed)
    return url is not None and is_loopback(url.hostname)


def _keep(contact: str, path: Path) -> None:
    try:
        before = path.read_text("utf-8") if path.exists() else ""
        path.write_text(f"contact = {json.dumps(contact)}\n{before}", "utf-8")
    except OSError as error:
        print(f"penstock: could not keep it in {path}: {error.strerror}; set PENSTOCK_CONTACT", file=sys.stderr)
