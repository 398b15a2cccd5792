"""Settings → where the archive's segments lie."""

from contract.archive_url import parse_archive_url
from contract.settings import Settings
from storage.archive.archive import SegmentStore
from storage.archive.segments.files import FileStore
from storage.archive.segments.moved import Moved


def open_store(settings: Settings) -> SegmentStore:
    """The store that `archive_url` names; raises `Refused` if it cannot be used. Nothing is asked of it yet."""
    url = parse_archive_url(settings.archive_url)
    files = FileStore(url.folder or settings.folder / "archive")
    if not url.is_remote:
        return files
    from storage.archive.segments.bucket import ObjectStore  # whose library only those have who asked for it

    return Moved(ObjectStore(url), files)
