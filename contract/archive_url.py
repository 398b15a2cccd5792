"""Where the archive's segments lie: one URL, taken apart once. Pure functions.

    s3://BUCKET[/PREFIX][?endpoint=https://HOST:PORT&region=REGION]     S3, or what speaks its protocol
    file:///PATH                                                        a folder
    (empty)                                                             the folder `archive` in the data folder

In the query also `virtual_hosted_style_request=true` (BUCKET.HOST instead of HOST/BUCKET) and
`conditional_put=disabled` (for servers that do not know If-None-Match). Credentials are never part of it: they come
from AWS_* variables.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from contract.errors import Refused

_OPTIONS = ("endpoint", "region", "virtual_hosted_style_request", "conditional_put")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}\Z")
_SECRETS = re.compile(r"key|secret|token|password", re.IGNORECASE)
_IN_ENVIRON = "credentials are not part of it, they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class ArchiveUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Where the archive is: a `folder`, or a `bucket` and the `prefix` of its objects, or neither (the data folder)."""

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    virtual_hosted_style_request: str = ""
    conditional_put: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether segments are objects of a bucket."""
        return bool(self.bucket)

    @property
    def shown(self) -> str:
        """What people are told: the bucket and the prefix, or the folder."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/") if self.bucket else str(self.folder or "")


def parse_archive_url(url: str) -> ArchiveUrl:
    """The parts of a URL; raises `Refused` with one line, which never repeats what may be a secret."""
    if not url:
        return ArchiveUrl()
    try:
        parts = urlsplit(url)
        if "@" in parts.netloc:
            raise Refused(_IN_ENVIRON)
        if parts.scheme == "file":
            return _folder(parts)
        if parts.scheme == "s3":
            return _bucket(parts)
    except ValueError as error:
        raise Refused(f"is no URL: {error}") from None
    raise Refused("must be s3://BUCKET/PREFIX or file:///FOLDER, or empty for the data folder")


def _folder(parts: SplitResult) -> ArchiveUrl:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise Refused("must name a folder as file:///FOLDER, with three slashes and nothing behind")
    return ArchiveUrl(folder=Path(unquote(parts.path)))


def _bucket(parts: SplitResult) -> ArchiveUrl:
    if not _BUCKET.match(parts.netloc):
        raise Refused("must name a bucket: s3://BUCKET/PREFIX")
    if parts.fragment:
        raise Refused("must not have a #")
    options: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRETS.search(name):
            raise Refused(_IN_ENVIRON)
        if name not in _OPTIONS or name in options:
            raise Refused(f"has an option that is unknown or there twice; known are: {', '.join(_OPTIONS)}")
        options[name] = value
    _check_endpoint(options.get("endpoint", ""))
    named = {"bucket": parts.netloc, "prefix": unquote(parts.path).strip("/"), **options}
    return msgspec.convert(named, ArchiveUrl)


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise Refused("must have an endpoint with a scheme: endpoint=https://HOST:PORT")
    if "@" in parts.netloc:
        raise Refused(_IN_ENVIRON)
