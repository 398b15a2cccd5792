"""Answers → a WACZ file: a zip of WARC as it is, with its index, its list of pages, and the digest of each.

Takes a new path. Index and list wait in files without a name beside it, because the parts of a zip are written one
after the other; so memory is constant.
Source: https://specs.webrecorder.net/wacz/1.1.1/
"""

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contract.pages import PageFetched
from storage.archive.reader import ArchiveReader
from storage.archive.warc_export import kept_answers
from storage.exports.wacz.index import index_line, response_of
from storage.exports.wacz.pages import PageList
from storage.exports.wacz.sorted_lines import IN_MEMORY, SortedLines
from storage.store.history import spec_of

VERSION = "1.1.1"
_WARC = "data.warc.gz"


def write_wacz(reader: ArchiveReader, crawl: str | None, path: Path, *, in_memory: int = IN_MEMORY) -> int:
    """Write what is kept of a crawl, or of all, to a new file; returns the number of answers.

    `in_memory` lines of the index are sorted at a time.
    """
    with (
        SortedLines(path.parent, in_memory=in_memory) as index,
        PageList(reader.engine, path.parent) as pages,
        zipfile.ZipFile(path, "x") as file,
    ):
        parts = Parts(file)
        number = parts.add(f"archive/{_WARC}", _members(reader, crawl, index, pages), is_packed=True)
        parts.add("indexes/index.cdx", index)
        parts.add("pages/pages.jsonl", pages)
        parts.close(_title(reader, crawl))
    return number


def _title(reader: ArchiveReader, crawl: str | None) -> str:
    if crawl is None:
        return "All crawls"
    spec = spec_of(reader.engine, crawl)
    return f"{spec.name} ({crawl})" if spec else crawl


def _members(reader: ArchiveReader, crawl: str | None, index: SortedLines, pages: PageList) -> Iterator[bytes]:
    """What is written of each answer; index and list take note of it."""
    offset = 0
    for answer in kept_answers(reader, crawl):
        response = response_of(answer.members)
        offset += len(answer.ahead)
        if response:
            index.add(index_line(response, offset=offset, filename=_WARC))
            page = answer.event.message.payload
            if isinstance(page, PageFetched) and 200 <= page.status < 300:
                pages.add(answer.event, response)
        offset += len(answer.members)
        yield answer.ahead + answer.members


class Parts:
    """The parts of a zip and what is to be said of them."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._resources: list[dict[str, str | int]] = []

    def add(self, name: str, texts: Iterable[bytes], *, is_packed: bool = False) -> int:
        """Write a part, which is compressed unless it is packed already; returns the number of texts."""
        hashed, number, size = hashlib.sha256(), 0, 0
        # How long it becomes nobody knows, so the zip is told that it may be beyond 4 GB.
        with self._file.open(_entry(name, is_packed=is_packed), "w", force_zip64=True) as part:
            for text in texts:
                part.write(text)
                hashed.update(text)
                number, size = number + 1, size + len(text)
        short = name.rpartition("/")[2]
        digest = f"sha256:{hashed.hexdigest()}"
        self._resources.append({"name": short, "path": name, "hash": digest, "bytes": size})
        return number

    def close(self, title: str) -> None:
        """Write what the parts are, and the digest of that."""
        said = {
            "profile": "data-package",
            "title": title,
            "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "wacz_version": VERSION,
            "software": "Penstock",
            "resources": self._resources,
        }
        package = msgspec.json.format(msgspec.json.encode(said))
        digest = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"}
        self._file.writestr(_entry("datapackage.json"), package)
        self._file.writestr(_entry("datapackage-digest.json"), msgspec.json.encode(digest))


def _entry(name: str, *, is_packed: bool = False) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
