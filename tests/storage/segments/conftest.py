"""Stores of segments for tests: each test of `store` runs on files, and on objects of a real S3-protocol server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.archive_url import parse_archive_url
from storage.archive.segments.files import FileStore
from tests.s3 import CREDENTIALS, archive_url, start_s3


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server that this test process started."""
    pytest.importorskip("moto.server", reason="no S3-protocol server is installed")
    with start_s3() as endpoint:
        yield endpoint


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, where alone they are looked for."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket(s3_server: str, credentials: None):
    """A store on a prefix that is empty yet."""
    from storage.archive.segments.bucket import ObjectStore

    made = ObjectStore(parse_archive_url(archive_url(s3_server)))
    yield made
    made.close()


@pytest.fixture
def files(tmp_path: Path):
    """A store in a folder that is not there yet."""
    made = FileStore(tmp_path / "archive")
    yield made
    made.close()


@pytest.fixture(params=["files", "bucket"])
def store(request: pytest.FixtureRequest):
    """A store of each kind in turn."""
    return request.getfixturevalue(request.param)
