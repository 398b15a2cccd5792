"""One file for each type of item, so that no table mixes them.

Takes where items are to be written, gives a path for each type: `DIR` has `TYPE.csv` in it, and `name-{type}.csv` bears
the type's name. A path that is neither holds all of them.
"""

import os
import re

from contract.errors import Refused

#: What stands for the name of the type.
MARK = "{type}"
_UNSAFE = re.compile(r"[^\w.-]+")


def is_several(to: str) -> bool:
    """Whether this place is one for several files."""
    return MARK in to or to.endswith("/") or os.path.isdir(to)


def path_for(to: str, type: str, *, ending: str) -> str:
    """The path of one type's file; makes the folder. Raises `Refused` where that cannot be made."""
    safe = _UNSAFE.sub("_", type)
    path = to.replace(MARK, safe) if MARK in to else os.path.join(to, f"{safe}.{ending}")
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    except OSError as error:
        raise Refused(f"cannot make the folder {os.path.dirname(path)}: {error.strerror}") from error
    return path


def check_one_table(types: list[str]) -> None:
    """Refuse to put items of several types into one table."""
    if len(types) > 1:
        names = ", ".join(types)
        raise Refused(
            f"the items are of {len(types)} types ({names}), and one table has one: --type {types[0]}, or a file for "
            f"each with -o FOLDER/ or -o name-{MARK}.csv"
        )
