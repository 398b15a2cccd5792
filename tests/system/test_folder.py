"""The data folder where it cannot be written: one clear line for who would work in it, none for who only looks."""

import fcntl
from pathlib import Path

import pytest

from contract.errors import Refused
from penstock.cluster.folder import DataFolder


def test_a_lock_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "cluster.lock").mkdir()

    with pytest.raises(Refused, match=r"^cannot write the data folder [^\n]*cluster.lock; choose another with --data$"):
        DataFolder(tmp_path).lock()
    assert not DataFolder(tmp_path).is_locked()


def test_who_looks_sees_the_cluster_that_has_the_folder_and_takes_nobody_else_for_one(tmp_path: Path) -> None:
    owner, onlooker = DataFolder(tmp_path), DataFolder(tmp_path)
    assert not onlooker.is_locked()
    assert list(tmp_path.iterdir()) == []
    assert owner.lock()
    (tmp_path / "cluster.lock").chmod(0o444)
    assert onlooker.is_locked()
    owner.unlock()
    with open(tmp_path / "cluster.lock") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert not onlooker.is_locked()
