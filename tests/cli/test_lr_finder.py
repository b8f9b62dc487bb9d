"""`trainkit lr-finder`: its files, what it says, how it ends."""

from __future__ import annotations

import csv

import pytest

COSINE = "training.optimizer={Adam: {learning_rate: {CosineDecay: {initial_learning_rate: 1e-3}}}}"


def test_lr_finder_writes_a_table_and_a_picture_and_leaves_no_run(command, small_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    ended = command("lr-finder", small_config, COSINE, "--from", "1e-4", "--to", 10, "--steps", 60, "-o", "out")
    assert (ended.code, ended.err) == (0, "")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["lr_finder.csv", "lr_finder.svg"]
    with (tmp_path / "out/lr_finder.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [*rows[0]] == ["update", "learning_rate", "loss", "smoothed_loss"]
    assert [float(row["learning_rate"]) for row in rows[:2]] == pytest.approx([1e-4, 1e-4 * 1e5 ** (1 / 59)])
    assert float(rows[0]["loss"]) == pytest.approx(2.3, abs=0.2)
    assert "highest safe" in (tmp_path / "out/lr_finder.svg").read_text()
    assert "note: CosineDecay is left out here" in ended.out
    (line,) = [line for line in ended.out.splitlines() if line.startswith("  initial_learning_rate: ")]
    assert 1e-4 < float(line.split()[1]) < 0.1
    assert "command line: training.optimizer" in ended.out


def test_lr_finder_ends_with_1_where_no_rate_follows(command, small_config, tmp_path):
    ended = command("lr-finder", small_config, "--from", "1e-12", "--to", "1e-11", "--steps", 20, "-o", tmp_path)
    assert ended.code == 1
    assert "the loss falls at no rate from 1e-12 to 1e-11" in ended.err
    assert (tmp_path / "lr_finder.svg").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-o", "none"], "there is no folder"),
        (["--from", "1", "--to", "0.1"], "`lowest` must"),
    ],
    ids=["folder", "range"],
)
def test_lr_finder_refuses_what_it_cannot_use(command, small_config, tmp_path, monkeypatch, options, told):
    monkeypatch.chdir(tmp_path)
    ended = command("lr-finder", small_config, *options)
    assert (ended.code, told in ended.err) == (2, True)
    assert not [*tmp_path.iterdir()]
