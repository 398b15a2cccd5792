"""Lines in any order → the same in the order of their bytes; owns temporary files, which have no name.

They lie where the export goes, and not in /tmp, which often is memory.
"""

import contextlib
import heapq
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

#: Lines that memory holds; of an index that is some 40 MB.
IN_MEMORY = 100_000


class SortedLines:
    """Takes lines with their line ends, gives all of them once; a context manager that lets go of the files."""

    def __init__(self, folder: Path, *, in_memory: int = IN_MEMORY) -> None:
        self._folder, self._in_memory = folder, in_memory
        self._lines: list[bytes] = []
        self._files: list[IO[bytes]] = []
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def add(self, line: bytes) -> None:
        """Take a line."""
        self._lines.append(line)
        if len(self._lines) >= self._in_memory:
            self._put_away()

    def _put_away(self) -> None:
        file = self._open.enter_context(tempfile.TemporaryFile(dir=self._folder))  # noqa: SIM115 - the stack closes it
        file.writelines(sorted(self._lines))
        file.seek(0)
        self._files.append(file)
        self._lines = []

    def __iter__(self) -> Iterator[bytes]:
        return heapq.merge(*self._files, sorted(self._lines))
