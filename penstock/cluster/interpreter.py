"""How a process of ours is started, so that no module of the folder it works in is taken for one of ours.

Gives words and environment; starts nothing. A user's folder may well have a `storage/` or a `scraper.py`.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

#: The folder that holds our packages.
_HOME = Path(__file__).parents[2]


def our_command(*words: str) -> list[str]:
    """`penstock WORDS` by this interpreter; `-P` keeps the working folder out of the search for modules."""
    return [sys.executable, "-P", "-m", "penstock", *words]


def importable(environ: Mapping[str, str]) -> dict[str, str]:
    """What to set so that our packages are found where they run from a checkout; nothing where they are installed."""
    if not (_HOME / "pyproject.toml").is_file():
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [environ.get("PYTHONPATH", ""), str(_HOME)]))}
