"""Checkpoints are there whole or not at all, and one that is damaged is told from one that is not."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from trainkit.errors import DiskFullError, RunError
from trainkit.runs.checkpoints import Checkpoints, fault_of


@pytest.fixture
def checkpoints(tmp_path):
    return Checkpoints(tmp_path / "checkpoints")


def write(checkpoints, step, *, best=None):
    with checkpoints.writing(step) as directory:
        (directory / "state.json").write_text(json.dumps({"best": best and {"step": best}}))
        (directory / "variables.data").write_bytes(bytes(range(200)))


def test_writing_leaves_the_files_and_a_manifest_of_them(checkpoints):
    write(checkpoints, 1_875)
    directory = checkpoints.directory / "step_000001875"
    assert [path.name for path in checkpoints.directory.iterdir()] == [directory.name]
    manifest = json.loads((directory / "manifest.json").read_text())
    known = "1901da1c9f699b48f6b2636e65cbf73abf99d0441ef67f5c540a42f7051dec6f"  # sha256sum of the bytes 0 to 199
    assert manifest["files"]["variables.data"] == {"bytes": 200, "sha256": known}
    assert manifest["step"] == 1_875
    assert fault_of(directory) is None


def write_half(checkpoints, step):
    with checkpoints.writing(step) as directory:
        (directory / "half").touch()
        raise OSError(28, "No space left on device")


def test_writing_that_fails_leaves_nothing(checkpoints):
    write(checkpoints, 1)
    with pytest.raises(DiskFullError, match=r"step_000000002 cannot be written: No space left"):
        write_half(checkpoints, 2)
    assert [path.name for path in checkpoints.directory.iterdir()] == ["step_000000001"]


def test_steps_are_sorted_by_number(checkpoints):
    for step in (999_999_999, 1_000_000_000, 5):
        write(checkpoints, step)
    (checkpoints.directory / ".123.step_000000007").mkdir()
    assert checkpoints.steps() == [1_000_000_000, 999_999_999, 5]


def test_newest_of_none_is_none(checkpoints):
    assert checkpoints.newest() == (None, [])


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "cut-variables": ("variables.data", cut, r"variables\.data must have 200 bytes, and has 199"),
    "flipped-variables": ("variables.data", flip, r"variables\.data is not what was written"),
    "no-variables": ("variables.data", lambda path: path.unlink(), r"has no variables\.data"),
    "flipped-state": ("state.json", flip, r"state\.json is not what was written"),
    "cut-manifest": ("manifest.json", lambda path: path.write_text('{"version": 1'), r"manifest\.json is not what was"),
    "empty-manifest": ("manifest.json", lambda path: path.write_text(""), r"manifest\.json is not what was written"),
    "list-manifest": ("manifest.json", lambda path: path.write_text("[]"), r"manifest\.json is not what was written"),
    "no-manifest": ("manifest.json", lambda path: path.unlink(), r"has no manifest\.json"),
    "version": ("manifest.json", lambda path: path.write_text('{"version": 7}'), "of another version: 7"),
}


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGE.values(), ids=DAMAGE)
def test_newest_is_the_one_before_a_damaged_one(name, damage, told, checkpoints):
    for step in (1, 2):
        write(checkpoints, step)
    damage(checkpoints.at(2) / name)
    step, (fault,) = checkpoints.newest()
    assert step == 1
    assert re.search(f"^step_000000002 .*{told}", fault)


def test_newest_is_found_where_a_kill_left_it_aside(checkpoints):
    write(checkpoints, 3)
    checkpoints.at(3).rename(checkpoints.at(3).with_name(".old.step_000000003"))
    assert checkpoints.newest() == (3, [])
    assert checkpoints.at(3).is_dir()


def test_best_of_a_checkpoint_is_what_it_says(checkpoints):
    write(checkpoints, 9, best=4)
    write(checkpoints, 10)
    assert [checkpoints.best_of(step) for step in (9, 10, 11)] == [4, None, None]


def test_prune_leaves_what_is_named(checkpoints):
    for step in (1, 2, 3):
        write(checkpoints, step)
    checkpoints.prune({1, 3})
    assert checkpoints.steps() == [3, 1]


def test_read_state_tells_of_a_missing_one(checkpoints):
    with pytest.raises(RunError, match=r"step_000000001/state\.json cannot be read"):
        checkpoints.read_state(1)


def test_prune_takes_both_directories_of_a_step_that_a_kill_has_left(checkpoints):
    for step in (5, 10):
        write(checkpoints, step)
    aside = checkpoints.directory / ".old.step_000000005"
    shutil.copytree(checkpoints.at(5), aside)
    checkpoints.prune([10])
    assert [path.name for path in checkpoints.directory.iterdir()] == ["step_000000010"]


def test_newest_needs_the_best_checkpoint_too(checkpoints):
    write(checkpoints, 5)
    write(checkpoints, 10, best=5)
    (checkpoints.at(5) / "variables.data").unlink()
    told = "step_000000010 needs the best one, step_000000005, which has no variables.data"
    assert checkpoints.newest() == (None, [told, "step_000000005 has no variables.data"])
    assert checkpoints.newest(alone=True) == (10, [])
