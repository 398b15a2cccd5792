"""The end of a file's name → the format that it promises. Pure, but for a look at whether it is a file.

A name that promises another format than would be written is refused: whoever opens the file by its name would find
something else. A name that promises nothing (`out`, `out.txt`, a device) may hold any format.
"""

import os
from collections.abc import Sequence

from contract.errors import Refused

#: Endings of what we write, with the format.
_OURS = {
    **dict.fromkeys((".jsonl", ".ndjson"), "jsonl"),
    ".csv": "csv",
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".warc", ".warc.gz"), "warc"),
    ".wacz": "wacz",
}
#: Endings of compressed files; nothing but WARC is written compressed.
_PACKED = (".gz", ".zst", ".bz2", ".xz", ".zip", ".7z", ".tar", ".tgz")
#: Endings of other formats. Who gives a --format as well finds it near enough, as JSON Lines in `x.json`.
_OTHERS = (
    *(".json", ".tsv", ".xlsx", ".xls", ".ods", ".xml", ".html", ".yaml", ".yml", ".sql", ".db", ".sqlite", ".duckdb"),
    *(".feather", ".arrow", ".avro", ".orc", ".har", ".pdf"),
)


def format_of(path: str, *, what: str, given: str | None, possible: Sequence[str]) -> str:
    """The format to write `what` in: the one given, or that the path promises, or the first that is possible.

    Raises `Refused` where that is not possible, or the path promises something else.
    """
    only = f"only as {' or '.join(possible)}"
    if given is not None and given not in possible:
        raise Refused(f"{what} cannot be written as {given}; {only}")
    promised = _promised(path, _PACKED if given else (*_PACKED, *_OTHERS))
    wanted = given or (promised if promised and promised in possible else possible[0])
    if promised in (None, wanted):
        return wanted
    if promised in possible:
        raise Refused(f"the name {path!r} promises {promised}, and --format says {wanted}; change one of them")
    raise Refused(f"{what} cannot be written as {promised}, which the name {path!r} promises; {only}")


def _promised(path: str, others: Sequence[str]) -> str | None:
    """The format that a path promises; None for standard output, a device, or an ending that stands for none."""
    if path == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        return None
    endings = _OURS | {ending: ending[1:] for ending in others}
    name = os.path.basename(path).lower()
    longest_first = sorted(endings, key=len, reverse=True)
    return next((endings[ending] for ending in longest_first if name.endswith(ending)), None)
