"""Files that grow are cut to what they were."""

from __future__ import annotations

from trainkit.training.append_only import cut, sizes


def epoch(number):
    return f"2026-05-01 10:00:0{number},123 INFO epoch {number}/5  loss 0.5  9,000 samples/s\n"


ERROR = "2026-05-01 10:00:09,123 ERROR DiskFullError: no room\n"


def test_cut_takes_back_what_came_after(tmp_path):
    run, outside = tmp_path / "run", tmp_path / "log.csv"
    events, log = run / "tensorboard/train", run / "train.log"
    events.mkdir(parents=True)
    (events / "a").write_bytes(b"12345")
    outside.write_text("epoch\n1\n")
    log.write_text(epoch(1))
    before = sizes([*events.iterdir(), outside, log, run / "missing"], base=run)
    assert before == {"tensorboard/train/a": 5, str(outside): 8, "train.log": len(epoch(1))}
    with (events / "a").open("ab") as file:
        file.write(b"678")
    (events / "b").write_bytes(b"new")
    outside.write_text("epoch\n1\n2\n")
    log.write_text(epoch(1) + epoch(2) + ERROR)
    moved = run.rename(tmp_path / "moved")
    cut(before, base=moved, directories=[moved / "tensorboard/train"], log=moved / "train.log")
    assert [(path.name, path.read_bytes()) for path in (moved / "tensorboard/train").iterdir()] == [("a", b"12345")]
    assert outside.read_text() == "epoch\n1\n"
    assert (moved / "train.log").read_text() == epoch(1) + ERROR  # why it ended stays


def test_cut_leaves_files_that_became_shorter(tmp_path):
    (tmp_path / "a").write_bytes(b"12")
    cut({"a": 5, "gone": 3}, base=tmp_path, directories=[tmp_path / "missing"], log=tmp_path / "train.log")
    assert (tmp_path / "a").read_bytes() == b"12"
