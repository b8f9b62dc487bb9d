"""In what runs differ."""

from __future__ import annotations

import json

import pytest

from trainkit.errors import ConfigError, InputError, RunError
from trainkit.runs.comparison import compare_runs

CONFIG = """\
version: 1
model: {input: [28, 28, 1], layers: [{Dense: {units: 10, bias: true}}]}
training: {epochs: 3}
"""


def write(directory, config=CONFIG, accuracy=0.5):
    directory.mkdir(parents=True)
    manifest = {"outcome": "finished", "began": "2026-05-01T10:00:00+00:00", "ended": "2026-05-01T10:00:05+00:00"}
    best = {"epoch": 1, "monitor": "val_loss", "value": 0.25}
    metrics = {"best": best, "test": {"metrics": {"loss": 0.5}, "accuracy": accuracy}}
    (directory / "manifest.json").write_text(json.dumps(manifest))
    (directory / "metrics.json").write_text(json.dumps(metrics))
    (directory / "resolved.yaml").write_text(config)
    (directory / "model.keras").touch()
    return directory


@pytest.mark.parametrize(
    ("written", "path", "values"),
    [
        (("epochs: 3", "epochs: 5"), "training.epochs", {"a/001": 3, "a/002": 5}),
        (("[28, 28, 1]", "[28, 32, 1]"), "model.input[1]", {"a/001": 28, "a/002": 32}),
        (("[28, 28, 1]", "[28, 28]"), "model.input[2]", {"a/001": 1}),
        (("units: 10", "units: 10.0"), "model.layers[0].Dense.units", {"a/001": 10, "a/002": 10.0}),
        ((", bias: true", ""), "model.layers[0].Dense.bias", {"a/001": True}),
        (("bias: true", "bias: null"), "model.layers[0].Dense.bias", {"a/001": True, "a/002": None}),
        (("{epochs: 3}", "fast"), "training", {"a/001": {"epochs": 3}, "a/002": "fast"}),
    ],
    ids=["value", "item", "no-item", "type", "no-key", "null", "kind"],
)
def test_compare_runs_tells_the_keys_that_differ(written, path, values, tmp_path):
    runs = [write(tmp_path / "a/001"), write(tmp_path / "a/002", CONFIG.replace(*written))]
    comparison = compare_runs(runs)
    assert comparison.config == {path: values}
    assert [type(value) for value in comparison.config[path].values()] == [type(value) for value in values.values()]


def test_compare_runs_tells_another_layer_as_one(tmp_path):
    other = CONFIG.replace("Dense: {units: 10, bias: true}", "Flatten: {}")
    comparison = compare_runs([write(tmp_path / "a/001"), write(tmp_path / "a/002", other)])
    assert comparison.config == {
        "model.layers[0].Dense": {"a/001": {"units": 10, "bias": True}},
        "model.layers[0].Flatten": {"a/002": {}},
    }


def test_compare_runs_tells_nothing_of_what_is_the_same(tmp_path):
    assert compare_runs([write(tmp_path / "a/001"), write(tmp_path / "a/002")]).config == {}


def test_compare_runs_has_metrics_side_by_side(tmp_path):
    runs = [write(tmp_path / f"a/{index:03d}", accuracy=accuracy) for index, accuracy in enumerate((0.5, 0.75, 1.0))]
    metrics = compare_runs(runs).metrics
    assert metrics["test.accuracy"] == {"a/000": 0.5, "a/001": 0.75, "a/002": 1.0}
    assert metrics["best.epoch"] == {"a/000": 1, "a/001": 1, "a/002": 1}
    assert metrics["seconds"] == {"a/000": 5.0, "a/001": 5.0, "a/002": 5.0}
    assert "files" not in metrics


def test_compare_runs_takes_the_newest_of_many(tmp_path):
    for name in ("a/999", "a/1000", "b/001"):
        write(tmp_path / name)
    assert [run.name for run in compare_runs([tmp_path / "a", tmp_path / "b"]).runs] == ["a/1000", "b/001"]


def test_compare_runs_tells_runs_of_one_name_apart(tmp_path):
    runs = [write(tmp_path / "left/a/001"), write(tmp_path / "right/a/001")]
    assert [run.name for run in compare_runs(runs).runs] == [str(run) for run in runs]


@pytest.mark.parametrize("names", [[], ["a"], ["a", "a/001"]], ids=["none", "one", "same"])
def test_compare_runs_wants_different_runs(names, tmp_path):
    write(tmp_path / "a/001")
    with pytest.raises(InputError, match=r"compare must be given two or more different runs\. Received: "):
        compare_runs([tmp_path / name for name in names])


def test_compare_runs_refuses_what_is_no_run(tmp_path):
    write(tmp_path / "runs/a/001")
    write(tmp_path / "runs/b/001")
    with pytest.raises(RunError, match=r"runs is neither a run nor a directory of numbered runs\."):
        compare_runs([tmp_path / "runs", tmp_path / "runs/a"])
    with pytest.raises(InputError, match="c does not exist"):
        compare_runs([tmp_path / "c"])


def test_compare_runs_refuses_what_is_damaged(tmp_path):
    runs = [write(tmp_path / "a/001"), write(tmp_path / "a/002")]
    (runs[1] / "resolved.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"resolved\.yaml: 1 problem"):
        compare_runs(runs)
    (runs[0] / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"a/001 is no run, or damaged: it has no metrics\.json\.$"):
        compare_runs(runs)
