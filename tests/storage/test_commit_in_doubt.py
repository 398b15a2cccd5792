"""A commit that nobody answered: it may have taken place, or not, and neither may cost a body or file one twice."""

import contextlib
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from storage.archive.reader import ArchiveReader
from storage.archive.segments.files import FileStore
from storage.batch import is_passing
from storage.batch import write as record
from storage.sql import tables
from storage.sql.database import make_engine, writing
from storage.sql.schema import make_current
from tests import builders
from tests.builders import URL
from tests.storage.helpers import arrival, contents, faults

SOCKET = ".s.PGSQL.5432"


class Wire:
    """What stands between us and PostgreSQL, and breaks at a COMMIT while `cuts` says where."""

    def __init__(self, server: str, folder: Path) -> None:
        self.server, self.cuts = server, ""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / SOCKET))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._listener.accept()
                theirs = socket.socket(socket.AF_UNIX)
                theirs.connect(self.server)
                threading.Thread(target=self._carry, args=(ours, theirs), daemon=True).start()

    def _carry(self, ours: socket.socket, theirs: socket.socket) -> None:
        back = threading.Thread(target=_copy, args=(theirs, ours), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while data := ours.recv(65_536):
                if self.cuts and b"COMMIT\0" in data:
                    ours.shutdown(socket.SHUT_RDWR)
                    if self.cuts == "before":
                        break
                theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        back.join()
        ours.close()
        theirs.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Until the source has no more; a target that is gone does not keep the source from being heard out."""
    while data := source.recv(65_536):
        with contextlib.suppress(OSError):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def wire(postgres_server: str) -> Iterator[Wire]:
    folder = Path(tempfile.mkdtemp(prefix="ps"))
    server = make_engine(postgres_server).url.query["host"]
    made = Wire(f"{server}/{SOCKET}", folder)
    made.folder = folder
    yield made
    made.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("cuts", ["before", "after"])
def test_a_page_is_filed_once_whether_its_commit_took_place_or_not(wire, postgres_server, postgres_url, tmp_path, cuts):
    server = make_engine(postgres_server).url.query["host"]
    engine = make_engine(postgres_url.replace(str(server), str(wire.folder)))
    with writing(engine) as connection:
        make_current(connection)
    pages = [arrival(builders.page_fetched(f"{URL}/{number}")) for number in range(3)]

    with FileStore(tmp_path).archive(engine) as archive, ArchiveReader(FileStore(tmp_path), engine) as reader:
        record(engine, archive, pages[:1])
        wire.cuts = cuts
        with pytest.raises(DBAPIError) as raised:
            record(engine, archive, pages[:2])
        assert is_passing(raised.value)
        wire.cuts = ""
        assert record(engine, archive, pages[:2]).events == (1 if cuts == "before" else 0)
        assert record(engine, archive, pages).events == 1

        assert [reader.read(each.place) for each in reader.pages()] == [page.body for page in pages]
    [segment] = contents(engine, [tables.segments])["segments"]
    assert (tmp_path / segment["name"]).stat().st_size == segment["length"]
    assert faults(tmp_path / segment["name"]) == []
    engine.dispose()
