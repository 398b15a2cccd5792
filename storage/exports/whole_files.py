"""Files that appear under their name only when they are complete and on the disk; whatever interrupts leaves none.

Killed with kill -9, a writer leaves a hidden `.<name>.<random>.part`, which nobody takes for the file.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from contract.errors import Refused


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Standard output as a binary file, flushed at the end."""
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which is there after the block; raises `Refused` where it cannot be written."""
    # A pipe or a device is written to, not replaced; `os.path` says no where `Path` would raise for a wrong name.
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with _refusing(path), path.open("wb") as file:
            yield file
        return
    with whole_path(path) as part, part.open("xb") as file:
        yield file


@contextlib.contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """A path beside this one, to make a file at, which bears the right name after the block.

    Raises `Refused` where it cannot be written, or where a pipe or a device would be replaced.
    """
    path = Path(os.path.realpath(path))
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        raise Refused(f"cannot write {path}: it is a pipe or a device, and this format needs a file")
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    with _refusing(path):
        try:
            yield part
            _sync(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Refused(f"cannot write {path}: {error.strerror or error}") from error
