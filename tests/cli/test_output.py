"""Files that a command is asked to write."""

from __future__ import annotations

import os

import pytest

from trainkit.cli.output import check_output
from trainkit.errors import InputError, OutputError


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("answers.txt", InputError, r"`output` must end with \.csv or \.json\. Received: '\S+answers\.txt'"),
        ("answers", InputError, r"must end with \.csv or \.json"),
        ("none/answers.csv", OutputError, r"answers\.csv cannot be written: there is no folder \S+none\."),
        ("folder.csv", OutputError, r"folder\.csv cannot be written: it is a folder"),
    ],
    ids=["suffix", "no-suffix", "no-folder", "folder"],
)
def test_output_that_cannot_be_written_is_refused(name, error, told, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(error, match=told) as caught:
        check_output(tmp_path / name, [".csv", ".json"])
    assert caught.value.exit_code == 2


def test_output_in_a_folder_that_is_not_to_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match=r"cannot be written: \S+ lets nobody write to it"):
        check_output(tmp_path / "answers.csv", [".csv"])


def test_output_that_can_be_written_is_left_alone(tmp_path):
    (tmp_path / "answers.csv").write_text("old")
    check_output(tmp_path / "answers.csv", [".csv"])
    check_output(None, [".csv"])
    assert (tmp_path / "answers.csv").read_text() == "old"
