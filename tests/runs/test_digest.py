"""By what files and directories are known again."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from trainkit.runs import files_of, sha256_of


@pytest.fixture
def directory(tmp_path):
    """Files of which the order depends on who sorts: `a-b` stands before `a/b` for bytes, not for paths."""
    for name in ("a/b", "a-b", "B", "é"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_file_is_known_by_its_content(directory):
    assert sha256_of(directory / "a/b") == hashlib.sha256(b"a/b").hexdigest()
    assert files_of(directory / "a/b") == [directory / "a/b"]


def test_files_of_a_directory_are_sorted_by_their_paths(directory):
    assert files_of(directory) == [directory / name for name in ("B", "a-b", "a/b", "é")]


def test_directory_is_known_as_sha256sum_knows_it(directory):
    command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    told = subprocess.run(command, shell=True, cwd=directory, capture_output=True, text=True, check=True).stdout
    assert sha256_of(directory) == told.split()[0]


@pytest.mark.parametrize("change", ["name", "content", "more"])
def test_directory_is_another_after_a_change(change, directory):
    before = sha256_of(directory)
    if change == "name":
        (directory / "B").rename(directory / "C")
    else:
        (directory / ("B" if change == "content" else "new")).write_text("new")
    assert sha256_of(directory) != before
