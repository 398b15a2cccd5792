"""What the doctor learns of a bucket."""

import pytest

from contract.settings import Settings
from penstock.doctor.archive import check_archive
from penstock.doctor.asking import ask_archive
from storage.archive.segments.opening import open_store
from tests.s3 import CREDENTIALS, archive_url
from tests.storage.segments.helpers import URLS, recorded, rows


@pytest.fixture
def settings(s3_server, credentials, tmp_path):
    return Settings(data=str(tmp_path), archive_url=archive_url(s3_server))


def found(settings, engine):
    """What was looked at → level and finding."""
    with engine.connect() as connection:
        return {one.what: (one.level, one.finding) for one in check_archive(ask_archive(settings, connection))}


def test_a_bucket_with_all_its_objects_is_well_until_one_is_gone(settings, sqlite_engine):
    store = open_store(settings)
    recorded(store, sqlite_engine, URLS[:1], URLS[1:2])
    well = found(settings, sqlite_engine)
    store.delete([rows(sqlite_engine)[0]["name"]])

    assert [level for level, _ in well.values()] == ["ok", "ok"]
    assert well["archive bucket"][1].startswith("s3://pages/run-")
    assert found(settings, sqlite_engine)["archive segments"][0] == "warn"


def test_a_bucket_of_no_use_is_said_to_be_so_without_secrets(settings, sqlite_engine, s3_server):
    url = archive_url(s3_server, bucket="none-such")

    [(what, (level, finding))] = found(Settings(data=settings.data, archive_url=url), sqlite_engine).items()

    assert (what, level) == ("archive bucket", "bad")
    assert finding.endswith("NoSuchBucket")
    assert not any(secret in finding for secret in CREDENTIALS.values())
