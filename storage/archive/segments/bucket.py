"""The bucket: objects put, read, sized and deleted over the S3 protocol, by obstore.

Takes an `ArchiveUrl`, and credentials from the environment (AWS_*) alone; owns connections and what was read ahead.
obstore tries again by itself, for RETRY_SECONDS. What it raises then becomes one line without headers or XML:
`Unreachable` while it may pass, `Refused` at the start for what a person must mend.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Engine

from contract.archive_url import ArchiveUrl
from contract.errors import PenstockError, Refused, Unreachable
from storage.archive.archive import SegmentStore
from storage.archive.segments.objects import ObjectArchive
from storage.archive.segments.read_ahead import ReadAhead
from storage.archive.segments.sweep import sweep

try:
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError
    from obstore.store import S3Store
except ModuleNotFoundError as error:
    raise Refused("an archive on s3: needs the library obstore: pip install 'penstock-crawler[s3]'") from error

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

#: A request that failed is tried again within this time; the recorder, which keeps its leases, then begins anew.
RETRY_SECONDS = 8
MOST_RETRIES = 4
#: One request's whole time: the largest object (some 40 MB) at 2 MB/s. With RETRY_SECONDS it must stay below the 30 s
#: that a stage has to end.
REQUEST_SECONDS, CONNECT_SECONDS = 20, 5
#: Nothing is there. At the start it tells a bucket that answers from one that does not.
_PROBE = "penstock-was-here"
#: What S3 calls faults that no waiting mends.
_HOPELESS = ("NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "PermanentRedirect", "InvalidBucketName",
             "AuthorizationHeaderMalformed")  # fmt: skip
_CREDENTIALS = (
    *("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
)


class ObjectStore(SegmentStore):
    """Segments in a bucket."""

    def __init__(self, url: ArchiveUrl) -> None:
        if url.endpoint and not any(map(os.environ.get, _CREDENTIALS)):
            raise Refused(f"no credentials for {url.shown}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        self.place = url.shown
        try:
            self._store = _store(url)
        except (BaseError, ValueError) as error:
            raise Refused(f"cannot use the archive {self.place}: {_said(error)}") from None
        self._ahead = ReadAhead(self._range)

    def check(self) -> None:
        """Ask for something; raises `Refused` for a bucket of no use, `Unreachable` for one that does not answer."""
        try:
            with contextlib.suppress(FileNotFoundError), _translated("use", self.place):
                obstore.get_range(self._store, _PROBE, start=0, length=1)
        except Unreachable as error:
            if any(word in str(error) for word in _HOPELESS):
                raise Refused(str(error)) from None
            if "AccessDenied" not in str(error):  # what is not there must not be asked for, where listing is forbidden
                raise

    def archive(self, engine: Engine, *, segment_bytes: int = 0, segment_seconds: float = 0) -> ObjectArchive:
        """What a recorder puts to; a batch is a segment, whatever its size."""
        return ObjectArchive(self.put, engine)

    def put(self, name: str, data: bytes) -> None:
        """Put an object under a name that was never used for anything else; raises `Unreachable`."""
        # It exists: our own earlier request has arrived, whose answer was lost.
        with contextlib.suppress(AlreadyExistsError), _translated("write to", self.place, missing=Unreachable):
            obstore.put(self._store, name, data, mode="create", use_multipart=False)

    def repair(self, engine: Engine, *, keep: bool = False) -> list[str]:
        """Delete what was put and never committed, or let go of it; objects are never half there."""
        return sweep(engine, self, keep=keep)

    def read(self, name: str, offset: int, length: int) -> bytes:
        """The bytes that the object has there, and its neighbours ahead of time."""
        return self._ahead.read(name, offset, length)

    def _range(self, name: str, offset: int, length: int) -> bytes:
        try:
            with _translated("read from", self.place):
                return bytes(obstore.get_range(self._store, name, start=offset, length=length))
        except Unreachable as error:
            if "InvalidRange" in str(error):  # it begins behind the end
                return b""
            raise

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """The sizes of those objects that are there; a request for each."""
        found = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError), _translated("read from", self.place):
                found[name] = obstore.head(self._store, name)["size"]
        return found

    def delete(self, names: Sequence[str]) -> None:
        """Delete these objects, a thousand in a request."""
        with contextlib.suppress(FileNotFoundError), _translated("delete from", self.place):
            obstore.delete(self._store, list(names))

    def close(self) -> None:
        """Forget what was read ahead."""
        self._ahead.clear()


def _store(url: ArchiveUrl) -> S3Store:
    timeouts = {"timeout": f"{REQUEST_SECONDS}s", "connect_timeout": f"{CONNECT_SECONDS}s"}
    client: ClientConfig = {**timeouts, "allow_http": url.endpoint.startswith("http:")}  # type: ignore[typeddict-item]
    retry: RetryConfig = {"max_retries": MOST_RETRIES, "retry_timeout": timedelta(seconds=RETRY_SECONDS)}
    names = ("endpoint", "region", "virtual_hosted_style_request", "conditional_put")
    options = {name: value for name in names if (value := getattr(url, name))}
    # A prefix of "" is none; the environment's AWS_ENDPOINT_URL and AWS_REGION hold where the URL says nothing.
    return S3Store(url.bucket, prefix=url.prefix or None, client_options=client, retry_config=retry, config=options)  # type: ignore[arg-type]


@contextlib.contextmanager
def _translated(doing: str, place: str, *, missing: type[PenstockError] | None = None) -> Iterator[None]:
    """obstore's errors as ours, in one line; FileNotFoundError for an object that is not there."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except FileNotFoundError as error:
        if missing or "NoSuchBucket" in str(error):
            raise (missing or Unreachable)(f"cannot {doing} the archive {place}: {_said(error)}") from None
        raise FileNotFoundError(errno.ENOENT, f"not in {place}") from None
    except (BaseError, ValueError) as error:
        raise Unreachable(f"cannot {doing} the archive {place}: {_said(error)}") from None


def _said(error: Exception) -> str:
    """What a server calls its error, or what befell the connection; never its headers or what was signed."""
    text = str(error)
    if code := re.search(r"<Code>(\w+)</Code>", text):
        return code[1]
    first = text.partition("\n")[0].partition("<")[0].rpartition(" - ")[2].strip(" :")
    kind = re.search(r"HttpError \{\s*kind: (\w+)", text)
    return f"{first} ({kind[1].lower()})" if kind else first
