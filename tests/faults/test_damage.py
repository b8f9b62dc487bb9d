"""A checkpoint that was damaged on the disk is not gone on from: the one before it is."""

from __future__ import annotations

import pytest

from trainkit.runs.checkpoints import Checkpoints

from .calls import read_calls
from .comparison import differences

pytestmark = pytest.mark.slow

NEWEST, BEFORE = "step_000000008", "step_000000006"
"""The one before is that of the best epoch so far, too."""
FILES = [
    "arrays.npz",
    "averages.data-00000-of-00001",
    "averages.index",
    "manifest.json",
    "state.json",
    "variables.data-00000-of-00001",
    "variables.index",
]


def flip(position):
    """Turn one bit around, at a share of the length."""

    def damage(path):
        content = bytearray(path.read_bytes())
        content[int(position * (len(content) - 1))] ^= 1
        path.write_bytes(content)

    return damage


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a byte less": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a byte more": lambda path: path.write_bytes(path.read_bytes() + b"0"),
    "gone": lambda path: path.unlink(),
} | {f"bit at {share}": flip(share) for share in (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1)}


@pytest.fixture(scope="module")
def broken_off(begin):
    """A training that was killed when it was about to write the checkpoint of its end."""
    training, trial = begin("brief"), begin("brief")
    trial.fit(fault={"log": str(trial.folder / "calls")})
    made = read_calls(trial.folder / "calls")
    last = next(call for call in made if call.operation == "mkdir" and call.step == 9)
    assert training.fit(fault={"kill": last.number}).code == -9
    names = sorted(path.name for path in training.run.checkpoints.glob("step_*"))
    assert names == [BEFORE, NEWEST]
    assert sorted(path.name for path in (training.run.checkpoints / NEWEST).iterdir()) == FILES
    return training


CASES = [(name, kind) for name in FILES for kind in DAMAGES if (name, kind) != ("manifest.json", "a byte less")]
"""The last byte of a manifest is an end of line: without it, it says the same."""


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_damage_to_every_file_is_found(name, kind, broken_off, tmp_path):
    run = broken_off.copy(tmp_path).run
    DAMAGES[kind](run.checkpoints / NEWEST / name)
    step, (fault,) = Checkpoints(run.checkpoints).newest()
    assert step == 6
    assert fault.startswith(NEWEST)
    assert name in fault or name == "manifest.json"  # a damaged one may accuse another


@pytest.mark.parametrize(("name", "kind"), list(zip(FILES, DAMAGES, strict=False)))
def test_the_checkpoint_before_a_damaged_one_ends_exactly(name, kind, broken_off, whole, tmp_path):
    training = broken_off.copy(tmp_path)
    DAMAGES[kind](training.run.checkpoints / NEWEST / name)
    ended = training.fit()
    assert ended.code == 0, ended.err
    assert f"note: {NEWEST} " in ended.out
    assert f" {name}" in ended.out
    assert "goes on after 2 epochs, at step 6" in ended.out
    assert differences(training.run, whole("brief").run) == []


@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
def test_without_the_best_checkpoint_nothing_goes_on_unasked(name, broken_off, tmp_path):
    training = broken_off.copy(tmp_path)
    flip(0.5)(training.run.checkpoints / BEFORE / name)
    ended = training.fit()
    assert ended.code == 2
    assert "001 has no checkpoint to go on from:\n" in ended.err
    assert f"{NEWEST} needs the best one, {BEFORE}, which is damaged: {name}" in ended.err
    assert "Traceback" not in ended.err + ended.out


def test_with_force_the_best_epoch_is_chosen_from_those_that_come(broken_off, tmp_path):
    training = broken_off.copy(tmp_path)
    flip(0.5)(training.run.checkpoints / BEFORE / "state.json")
    ended = training.fit("--force")
    assert ended.code == 0, ended.err
    assert "goes on after 2 epochs, at step 8" in ended.out
    assert "best epoch: 3" in ended.out


def test_where_all_are_damaged_it_says_so_and_begins_anew_with_force(broken_off, whole, tmp_path):
    training = broken_off.copy(tmp_path)
    for name in (NEWEST, BEFORE):
        (training.run.checkpoints / name / "variables.index").write_bytes(b"")
    before = {path: path.read_bytes() for path in training.run.checkpoints.rglob("*") if path.is_file()}
    ended = training.fit()
    assert ended.code == 2
    assert f"  {NEWEST} is damaged: variables.index must have " in ended.err
    assert f"  {BEFORE} is damaged: variables.index must have " in ended.err
    assert "--force" in ended.err
    assert {path: path.read_bytes() for path in training.run.checkpoints.rglob("*") if path.is_file()} == before
    ended = training.fit("--force")
    assert ended.code == 0, ended.err
    assert "goes on from its beginning" in ended.out
    assert differences(training.run, whole("brief").run) == []
