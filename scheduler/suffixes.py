"""The public suffix list (publicsuffix.org), as a package has it: hosts to the domains that people registered.

Takes host names in ASCII, gives domains, and the list's date. The list is as new as `make lock` found it.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import publicsuffixlist

#: The list's own words for when it was made.
_MADE = re.compile(r"^// VERSION: (\d{4}-\d\d-\d\d)", re.MULTILINE)
_HEAD_CHARACTERS = 4_096


def registered_domain(hostname: str, *, unlisted: bool = True) -> str:
    """The part of a host name that somebody registered; an address, and a suffix, is itself.

    Below a top-level domain that is not listed it is the second label, by the list's default rule; without `unlisted`
    it is the whole name.
    """
    if hostname.endswith("]") or hostname.rpartition(".")[2].isdigit():
        return hostname
    return _suffixes().privatesuffix(hostname, accept_unknown=unlisted) or hostname


def list_date() -> str | None:
    """The day on which the list was made, or None where it does not say."""
    with Path(publicsuffixlist.PSLFILE).open(encoding="utf-8") as file:
        found = _MADE.search(file.read(_HEAD_CHARACTERS))
    return found[1] if found else None


@cache
def _suffixes() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList()  # private ones too: who has a page on github.io is no neighbour
