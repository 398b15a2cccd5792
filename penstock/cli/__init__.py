"""The command line. Takes words, gives an exit status; each command's work is in `penstock.commands`, imported late.

Exit status: 0 finished, 1 finished without one page (answered with 2xx) or not over by what is recorded, 2 wrong usage
or something a person must mend, 130 interrupted and resumable, 143 ended by SIGTERM with nothing half done left behind.
"""

from __future__ import annotations

import gc
import sys

from contract.errors import PenstockError
from contract.logs import configure_logs, masked, visible
from contract.private import keep_private

#: The commands that containers and one-machine clusters run; also in `penstock.commands.stages`.
_STAGES = ("scheduler", "worker", "parse", "record")
_TIED = "--tied"
#: Commands whose files are wherever a person wants them, and as private as he has his files.
_WRITE_ELSEWHERE = ("export", "site")
#: What is imported stays. To look for garbage among it after each 700 objects, as Python does, is a fifth of the start.
_OBJECTS = 50_000


def main() -> None:
    """Run the command line; what a person must mend is one line on standard error, never a traceback."""
    configure_logs("WARNING", format="person")
    if sys.platform == "win32":
        sys.exit("penstock: Windows is not supported; it runs on Linux and macOS, and in WSL.")
    if sys.argv[1:2] and sys.argv[1] not in _WRITE_ELSEWHERE:
        keep_private()
    try:
        _run(sys.argv[1:])
    except PenstockError as error:
        print(f"penstock: {visible(masked(str(error)))}", file=sys.stderr)
        sys.exit(2)


def _run(words: list[str]) -> None:
    if words and words[0] in _STAGES and set(words[1:]) <= {_TIED}:
        gc.disable()  # until it has imported what it needs
        # Words as few as these need no parser: a fifth of a second of the start, and 20 MB as long as the stage runs.
        from penstock.commands.stages import run

        sys.exit(run(words[0], tied=_TIED in words))
    gc.set_threshold(_OBJECTS)
    from penstock.cli.every import app

    app()
