"""Old segments as files, later ones as objects: an archive that was moved into a bucket, and is read as one.

A segment's name says where it lies: those of objects have a slash. A file that somebody has copied into the bucket is
found there once it is gone from the folder.
"""

from collections.abc import Sequence

from sqlalchemy import Engine

from storage.archive.archive import Archive, SegmentStore
from storage.archive.segments.files import FileStore


class Moved(SegmentStore):
    """Two stores: `later` takes what is recorded, `files` has what was recorded before."""

    def __init__(self, later: SegmentStore, files: FileStore) -> None:
        self.later, self.files, self.place = later, files, later.place

    def archive(self, engine: Engine, *, segment_bytes: int, segment_seconds: float) -> Archive:
        """What a recorder puts to."""
        return self.later.archive(engine, segment_bytes=segment_bytes, segment_seconds=segment_seconds)

    def check(self) -> None:
        """Whether the later one can be used."""
        self.later.check()

    def repair(self, engine: Engine, *, keep: bool = False) -> list[str]:
        """Both."""
        cut = self.files.repair(engine, keep=keep) if self.files.folder.is_dir() else ()
        return [*cut, *self.later.repair(engine, keep=keep)]

    def read(self, name: str, offset: int, length: int) -> bytes:
        """From where the segment lies."""
        if self.files.sizes([name]):
            return self.files.read(name, offset, length)
        return self.later.read(name, offset, length)

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """Those of both."""
        here = self.files.sizes(names)
        return here | self.later.sizes([name for name in names if name not in here])

    def delete(self, names: Sequence[str]) -> None:
        """Wherever they lie."""
        here = self.files.sizes(names)
        self.files.delete(list(here))
        if there := [name for name in names if name not in here]:
            self.later.delete(there)

    def close(self) -> None:
        """Both."""
        self.files.close()
        self.later.close()
