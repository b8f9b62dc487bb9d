"""One process owns a directory at a time."""

from __future__ import annotations

import os

import pytest

from trainkit.errors import OutputError, RunError
from trainkit.runs.lock import LOCK, lock_directory


def test_a_directory_is_owned_by_one(tmp_path):
    told = rf"{tmp_path.name} is in use by process {os.getpid()} on \S+\.$"
    with lock_directory(tmp_path), pytest.raises(RunError, match=told), lock_directory(tmp_path):
        pass
    with lock_directory(tmp_path):
        pass


def test_a_lock_that_its_owner_has_removed_is_made_anew(tmp_path, monkeypatch):
    """Between the opening and the locking of the file, its owner ends and takes it away."""
    from trainkit.runs import lock

    real, calls = lock._lock, []

    def late(descriptor, filepath):
        if not calls:
            filepath.unlink()
        calls.append(filepath)
        real(descriptor, filepath)

    monkeypatch.setattr(lock, "_lock", late)
    with lock_directory(tmp_path):
        assert (tmp_path / LOCK).exists()
    assert len(calls) == 2


def test_a_directory_that_is_missing_cannot_be_locked(tmp_path):
    with (
        pytest.raises(OutputError, match=r"absent/\.lock cannot be written: No such file"),
        lock_directory(tmp_path / "absent"),
    ):
        pass
