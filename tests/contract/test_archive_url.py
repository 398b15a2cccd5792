"""Where the archive is: one setting, which never holds a secret."""

from pathlib import Path

import pytest

from contract.archive_url import ArchiveUrl, parse_archive_url
from contract.errors import Refused
from contract.settings import load


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("", ArchiveUrl()),
        ("s3://pages", ArchiveUrl(bucket="pages")),
        ("s3://pages/a/b/", ArchiveUrl(bucket="pages", prefix="a/b")),
        (
            "s3://pages/a%20b?endpoint=https://minio.test:9000&region=eu-1",
            ArchiveUrl(bucket="pages", prefix="a b", endpoint="https://minio.test:9000", region="eu-1"),
        ),
        ("s3://pages?conditional_put=disabled", ArchiveUrl(bucket="pages", conditional_put="disabled")),
        ("file:///var/far%20away", ArchiveUrl(folder=Path("/var/far away"))),
    ],
)
def test_a_url_is_taken_apart(url, parts):
    assert parse_archive_url(url) == parts


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("s3://id:hush@pages", "credentials are not part of it"),
        ("s3://pages?secret_access_key=hush", "credentials are not part of it"),
        ("s3://pages?aws_session_token=hush", "credentials are not part of it"),
        ("s3://pages?endpoint=http://id:hush@minio.test", "credentials are not part of it"),
        ("s3://pages?zone=hush", "has an option that is unknown"),
        ("s3://pages?region=a&region=hush", "there twice"),
        ("s3:///hush", "must name a bucket"),
        ("s3://pages/#hush", "must not have a #"),
        ("s3://pages?endpoint=hush:9000", "must have an endpoint with a scheme"),
        ("file://hush/a", "three slashes"),
        ("gs://hush", "must be s3://BUCKET/PREFIX or file:///FOLDER"),
        ("hush", "must be s3://"),
        ("s3://[hush", "is no URL"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_repeats_no_secret(url, says):
    with pytest.raises(Refused, match=rf"^PENSTOCK_ARCHIVE_URL .*{says}") as raised:
        load(environ={"PENSTOCK_ARCHIVE_URL": url})

    assert "hush" not in str(raised.value)


@pytest.mark.parametrize("seconds", ["-1", "61", "nan"])
def test_pages_are_gathered_for_no_longer_than_a_minute(seconds):
    with pytest.raises(Refused, match=r"^PENSTOCK_ARCHIVE_GATHER_SECONDS must be 0 to 60"):
        load(environ={"PENSTOCK_ARCHIVE_GATHER_SECONDS": seconds})
