"""`model.weights`: a network begins with the weights of an earlier model, and tells with which."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.training import prepare
from trainkit.training.report import print_network
from trainkit.training.weights import folded

HEAD = "{Dense: {units: $classes, activation: softmax}, name: answer}"
LAYERS = f"model.layers=[{{Dense: {{units: 4}}, name: trunk}}, {HEAD}]"
BLOCK = "model.blocks={Trunk: {layers: [{Dense: {units: 4}, name: trunk}]}}"
IN_BLOCK = f"model.layers=[{{Trunk: , name: body}}, {HEAD}]"


@pytest.fixture(scope="module")
def earlier(table_config, tmp_path_factory):
    """A run of the table with a hidden layer."""
    console = Console(file=io.StringIO())
    rate = "training.optimizer={SGD: {learning_rate: 0.1}}"
    return trainkit.fit(table_config, [LAYERS, rate], runs=tmp_path_factory.mktemp("runs"), console=console)


@pytest.fixture
def weights_of(earlier):
    """The weights of a layer of that run."""
    model = tf.keras.models.load_model(earlier.model, compile=False)
    return lambda name: model.get_layer(name).get_weights()


def assert_same(left, right):
    assert len(left) == len(right) > 0
    for one, other in zip(left, right, strict=True):
        np.testing.assert_array_equal(one, other)


def test_prepare_takes_the_weights_of_a_run(prepared, earlier, weights_of):
    found = prepared(LAYERS, f"model.weights={earlier.directory}")
    assert found.weights.transfer.loaded == ["trunk", "answer"]
    assert_same(found.model.get_layer("trunk").get_weights(), weights_of("trunk"))
    random = prepared(LAYERS).model.get_layer("trunk").get_weights()
    assert not np.array_equal(random[0], weights_of("trunk")[0])


def test_prepare_leaves_weights_alone_where_it_is_told_to(table_config, earlier):
    config = load_config(table_config, [LAYERS, f"model.weights={earlier.directory}"])
    assert_same(
        prepare(config, weights=False).model.get_weights(),
        prepare(load_config(table_config, [LAYERS])).model.get_weights(),
    )
    assert prepare(config, weights=False).weights is None


def test_prepare_takes_layers_into_a_block(prepared, earlier, weights_of):
    rename = f"model.weights={{file: {earlier.directory.parent}, rename: {{trunk: body.trunk}}, layers: [body]}}"
    found = prepared(BLOCK, IN_BLOCK, rename)
    assert found.weights.transfer.loaded == ["body.trunk"]
    assert found.weights.transfer.skipped == {"answer": "is not in `layers`"}
    assert_same(found.model.get_layer("body.trunk").get_weights(), weights_of("trunk"))


def test_paths_of_weights_are_relative_to_the_config_and_know_the_environment(
    table_config, earlier, tmp_path, monkeypatch
):
    config = load_config(table_config, ["model.layers=[Dense: {units: 3}]"])
    assert config.experiment.model.weights is None
    (table_config.parent / "with.yaml").write_text(
        table_config.read_text().replace("  input: [5]", "  input: [5]\n  weights: some/$env(WHERE)/old.keras")
    )
    monkeypatch.setenv("WHERE", "$here")
    loaded = load_config(table_config.parent / "with.yaml")
    assert loaded.experiment.model.weights.file == str(table_config.parent / "some/$here/old.keras")
    (tmp_path / "resolved.yaml").write_text(loaded.resolved_yaml())
    assert load_config(tmp_path / "resolved.yaml").experiment.model.weights == loaded.experiment.model.weights
    monkeypatch.delenv("WHERE")
    with pytest.raises(ConfigError, match=r"13:12  model\.weights: the environment variable WHERE is not set"):
        load_config(table_config.parent / "with.yaml")


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (
            "nowhere.keras",
            r"model\.weights: must be a file of Keras or a run\. Received: '.*nowhere\.keras', which",
        ),
        ("text.keras", r"model\.weights: .*text\.keras is no file of weights of Keras: "),
        ("{file: EARLIER, layers: [trunk, trank]}", r"must fit a layer\. Received: 'trank'\. Did you mean 'trunk'\?"),
        (
            "{file: EARLIER, rename: {'tronk*': 'x*'}}",
            r"must fit names of the file\. Received: 'tronk\*'\. It has ",
        ),
        ("{file: EARLIER, rename: {trunk: x, answer: y}}", r"no layer can take weights of .*: it has trunk, answer; "),
        (
            "{file: EARLIER, rename: {trunk: answer, answer: trunk}}",
            r"no layer can .*: 'trunk' has weights: \(5, 4\)",
        ),
        ("{fil: EARLIER}", r"model\.weights\.fil: unknown key\. Did you mean 'file'\?"),
        ("3", r"model\.weights: must be a text, or a mapping"),
    ],
)
def test_prepare_tells_what_is_wrong_with_weights(weights, told, prepared, earlier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.keras").write_text("no weights")
    with pytest.raises(ConfigError, match=told):
        prepared(LAYERS, "model.weights=" + weights.replace("EARLIER", str(earlier.directory)))


def test_prepare_names_the_rename_under_which_layers_are_the_same(prepared, earlier):
    layers = "model.layers=[{Trunk: , name: body}, {Dense: {units: $classes, activation: softmax}, name: other}]"
    with pytest.raises(ConfigError, match=r"Write `rename: \{'\*': 'body\.\*'\}`\."):
        prepared(BLOCK, layers, f"model.weights={earlier.directory}")


def test_a_run_tells_with_which_weights_it_began(table_config, earlier, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    layers = LAYERS.replace("answer}", "reply}")
    run = trainkit.fit(table_config, [layers, f"model.weights={earlier.directory}"], runs=tmp_path, console=console)
    table = [
        f"weights: {earlier.model}, by name and arguments",
        "  loaded   1 layer, 24 numbers: trunk",  # 5 · 4 + 4
        "  missing  not in the file: reply",
        "  unused   in the file only: answer",
    ]
    assert "\n".join(table) in console.file.getvalue()
    assert all(line.strip() in run.log.read_text() for line in table)
    told = json.loads(run.manifest.read_text())["weights"]
    assert told["sha256"] == hashlib.sha256(earlier.model.read_bytes()).hexdigest()
    assert (told["loaded"], told["missing"], told["unused"]) == (1, ["reply"], ["answer"])


def test_check_shows_the_same_table(prepared, earlier):
    console = Console(file=io.StringIO(), width=200)
    print_network(console, prepared(LAYERS, f"model.weights={earlier.directory}"))
    assert "  loaded   2 layers, 39 numbers: trunk, answer" in console.file.getvalue()  # 24 + 4 · 3 + 3


def test_folded_names_stay_short_however_many_there_are():
    assert folded(f"backbone.conv{index}" for index in range(100)) == "backbone.* (100)"
    assert folded(f"conv{index}" for index in range(100)) == "conv0, conv1, conv2, conv3, … (95 more), conv99"
    assert folded(["a", "b.c", "d"]) == "a, b.c, d"
