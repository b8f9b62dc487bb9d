"""A configuration file becomes a Config: paths, places, and YAML that reads back the same."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.config.load import _Dumper, load_config, read_document
from trainkit.config.node import Node, NodeError, SettingError, nodes_inside
from trainkit.config.settings import Training
from trainkit.config.yaml_reader import read_text
from trainkit.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted([*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("trainkit/config/templates/*.yaml")])
SMALL = """\
version: 1
name: small
data: {source: {Mnist: {path: digits}}}
model:
  input: [28, 28, 1]
  layers:
    - Flatten
    - Dense: {units: $classes, kernel_regularizer: {L2: {l2: 0.1}}}
      name: digit
training:
  loss: SparseCategoricalCrossentropy
"""

LARGE = """\
version: 1
name: large
data:
  source: {Csv: {path: iris.csv}}
  inputs: {left: [a, b], right: c}
  targets: {kind: species, size: d}
  sample_weight: w
  class_weight: {Iris setosa: 2}
  validation_split: {last: 10}
  test_split: 0.2
  resize: {fit: pad}
  augment: [RandomFlip: {mode: horizontal}]
  bad_data: {skip: 3}
model:
  inputs: {left: {shape: [2]}, right: {shape: [null], dtype: string}}
  preprocess:
    right: [StringLookup]
  layers:
    - Dense: {units: 3}
      inputs: left
      name: first
    - Add:
      branches:
        - - Dense: {units: 3, kernel_regularizer: {L2: {l2: 0.1}}}
            name: inner
        - []
    - Attention:
      inputs: {inputs: x}
    - Dense: {units: $classes}
      inputs: [x]
      name: kind
    - Dense: {units: 1}
      name: size
  outputs: [kind, size]
training:
  loss: {kind: SparseCategoricalCrossentropy, size: {Huber: {delta: 2}}}
  loss_weights: {size: 0.5}
  metrics: {kind: [SparseCategoricalAccuracy]}
"""


@pytest.fixture
def large(tmp_path):
    filepath = tmp_path / "large.yaml"
    filepath.write_text(LARGE)
    return filepath


@pytest.fixture
def small(tmp_path):
    filepath = tmp_path / "configs" / "small.yaml"
    filepath.parent.mkdir()
    filepath.write_text(SMALL)
    return filepath


def test_load_config_reads_a_file_and_overrides(small):
    config = load_config(small, ["training.epochs=3", "model.layers.digit.units=9"])
    assert config.experiment.training.epochs == 3
    assert config.experiment.model.layers[1].arguments["units"] == 9
    assert config.document.source == str(small)


def test_load_config_reads_a_mapping():
    data = yaml.safe_load(SMALL)
    data["model"]["input"] = (np.int64(28), 28, 1)
    config = load_config(data, iter(["seed=3"]))
    assert config.experiment.model.input == [28, 28, 1]
    assert config.experiment.seed == 3
    assert "seed" not in data


def test_load_config_lists_problems_of_overrides_and_file_together(small):
    small.write_text(SMALL.replace("Flatten", "Flaten"))
    with pytest.raises(ConfigError) as caught:
        load_config(small, ["epochs", "training.epoch=3"])
    assert str(caught.value).splitlines() == [
        f"{small}: 3 problems",
        "  command line: epochs: an override must be KEY=VALUE. Received: 'epochs'.",
        "  command line: training.epoch: unknown key. Did you mean 'epochs'? "
        f"training has {', '.join(sorted(Training.model_fields))}.",
        "  7:7    model.layers[0]: unknown layer. Received: 'Flaten'. Did you mean 'Flatten'?",
    ]


def test_load_config_calls_a_mapping_config():
    with pytest.raises(ConfigError, match=r"^config: 5 problems\n  the key 'version' is missing\."):
        load_config({})


@pytest.mark.parametrize(
    ("written", "overrides", "expected"),
    [
        ("digits", [], "configs/digits"),
        ("../digits", [], "digits"),
        ("/data/digits", [], "/data/digits"),
        ("~/digits", [], "home/digits"),
        ("~nobody-is-called-so/digits", [], "configs/~nobody-is-called-so/digits"),
        ("$$HOME", [], "configs/$HOME"),
        ("digits", ["data.source.path=mine"], "here/mine"),
        ("digits", ["data.source={Mnist: {path: mine}}"], "here/mine"),
        ("digits", ["data.source.path=~/mine"], "home/mine"),
        ("digits", ["seed=3"], "configs/digits"),
    ],
    ids=[
        "relative",
        "up",
        "absolute",
        "home",
        "no-user",
        "dollar",
        "override",
        "override-node",
        "override-home",
        "other-override",
    ],
)
def test_load_config_makes_paths_absolute(written, overrides, expected, small, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    small.write_text(SMALL.replace("digits", written))
    path = load_config("../configs/small.yaml", overrides).experiment.data.source.arguments["path"]
    assert os.path.normpath(path) == str(tmp_path / expected)
    assert Path(path).is_absolute()


def test_load_config_leaves_a_path_that_is_null(small):
    config = load_config(small, ["data.source.path=null"])
    assert config.experiment.data.source.arguments == {"path": None}


def test_load_config_of_a_mapping_has_paths_relative_to_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = load_config(yaml.safe_load(SMALL)).experiment.data.source.arguments
    assert arguments == {"path": str(tmp_path / "digits")}


def test_load_config_of_a_hundred_layers_is_quick(tmp_path):
    filepath = tmp_path / "deep.yaml"
    layers = "".join(
        f"    - Dense: {{units: {index}, activation: relu}}\n      name: d{index}\n" for index in range(1, 101)
    )
    filepath.write_text(SMALL.replace("    - Flatten\n", layers))
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        config = load_config(filepath)
        seconds.append(time.perf_counter() - start)
    assert len(config.experiment.model.layers) == 101
    assert min(seconds) < 0.2


def test_config_knows_where_its_nodes_stand(small):
    config = load_config(small, ["training.optimizer=SGD"])
    dense = config.experiment.model.layers[1]
    assert config.path_of(dense) == ("model", "layers", 1)
    assert config.line_of(dense) == 8
    ((_, regularizer),) = nodes_inside(dense)
    assert config.path_of(regularizer) == ("model", "layers", 1, "Dense", "kernel_regularizer")
    assert config.path_of(config.experiment.deploy.export[1]) == ("deploy", "export", 1)
    assert config.line_of(config.experiment.training.optimizer) is None
    assert config.path_of(Node("layer", "Dense")) == ()


def test_config_knows_where_the_nodes_of_branches_and_mappings_stand(large):
    config = load_config(large)
    experiment = config.experiment
    inner = experiment.model.layers[1].branches[0][0]
    at = ("model", "layers", 1, "branches", 0, 0)
    assert (config.path_of(inner), config.line_of(inner)) == (at, 24)
    assert config.path_of(inner.arguments["kernel_regularizer"]) == (*at, "Dense", "kernel_regularizer")
    assert config.path_of(experiment.model.preprocess["right"][0]) == ("model", "preprocess", "right", 0)
    assert config.path_of(experiment.training.loss["size"]) == ("training", "loss", "size")
    assert config.path_of(experiment.training.metrics["kind"][0]) == ("training", "metrics", "kind", 0)
    assert config.path_of(experiment.data.augment[0]) == ("data", "augment", 0)


def test_locating_gives_a_node_error_the_place_of_a_setting(large):
    config = load_config(large)
    with pytest.raises(ConfigError) as caught, config.locating():
        raise NodeError(config.experiment.model.layers[3], "does not fit.", argument="inputs")
    assert str(caught.value) == f"{large}: 1 problem\n  30:15  model.layers[3].inputs: does not fit."


@pytest.mark.parametrize(
    ("path", "overrides", "told"),
    [
        (("data", "inputs", "right"), [], "5:33   data.inputs.right: is odd."),
        (("data", "inputs", "right", 0), [], "5:33   data.inputs.right[0]: is odd."),
        (("data", "batch_size"), [], "4:3    data.batch_size: is odd."),
        (("data", "inputs", "right"), ["data.inputs.right=d"], "command line: data.inputs.right: is odd."),
    ],
    ids=["written", "inside", "default", "override"],
)
def test_locating_gives_a_setting_error_its_place(path, overrides, told, large):
    config = load_config(large, overrides)
    cause = ValueError("as NumPy says")
    with pytest.raises(ConfigError) as caught, config.locating():
        raise SettingError(path, "is odd.") from cause
    assert str(caught.value) == f"{large}: 1 problem\n  {told}"
    assert caught.value.__cause__ is cause


def test_load_config_takes_a_document_that_was_read_before(small):
    document = read_document(small, ["seed=3"])
    assert document.data["seed"] == 3
    config = load_config(document, ["training.epochs=2"])
    assert (config.experiment.seed, config.experiment.training.epochs) == (3, 2)
    assert config.document.text == SMALL


def test_read_document_leaves_the_checks_to_load_config(tmp_path):
    (tmp_path / "odd.yaml").write_text("zebra: 3\n")
    assert read_document(tmp_path / "odd.yaml", ["lion=4"]).data == {"zebra": 3, "lion": 4}
    with pytest.raises(ConfigError, match=r"1 problem\n  command line: lion: an override must be KEY=VALUE"):
        read_document(tmp_path / "odd.yaml", ["lion"])


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        (None, "8:7    model.layers[1]: is too wide."),
        ("units", "8:22   model.layers[1].Dense.units: is too wide."),
        ("activation", "8:7    model.layers[1]: is too wide."),
    ],
    ids=["node", "written", "default"],
)
def test_locating_gives_a_node_error_its_place(argument, told, small):
    config = load_config(small)
    cause = ValueError("as Keras says")
    with pytest.raises(ConfigError) as caught, config.locating():
        raise NodeError(config.experiment.model.layers[1], "is too wide.", argument=argument) from cause
    assert str(caught.value) == f"{small}: 1 problem\n  {told}"
    assert caught.value.__cause__ is cause


def test_resolved_writes_every_default(small):
    resolved = load_config(small).resolved()
    assert resolved["seed"] == 0
    assert resolved["data"]["source"] == {"Mnist": {"path": str(small.parent / "digits")}}
    assert resolved["training"]["optimizer"]["Adam"]["learning_rate"] == 0.001
    dense = resolved["model"]["layers"][1]
    assert list(dense) == ["Dense", "name"]
    assert list(dense["Dense"])[:3] == ["units", "activation", "use_bias"]
    assert dense["Dense"]["kernel_initializer"] == "glorot_uniform"
    assert dense["Dense"]["kernel_regularizer"] == {"L2": {"l2": 0.1}}
    assert [next(iter(exporter)) for exporter in resolved["deploy"]["export"]] == ["TFLite", "TFLite", "ONNX"]


def test_resolved_keeps_the_forms_of_settings(large):
    resolved = load_config(large).resolved()
    data, model, training = resolved["data"], resolved["model"], resolved["training"]
    assert data["inputs"] == {"left": ["a", "b"], "right": "c"}
    assert data["targets"] == {"kind": "species", "size": "d"}
    assert data["class_weight"] == {"Iris setosa": 2.0}
    assert (data["validation_split"], data["test_split"], data["bad_data"]) == ({"last": 10}, 0.2, {"skip": 3})
    assert data["resize"] == {"method": "bilinear", "antialias": True, "fit": "pad"}
    assert data["augment"] == [{"RandomFlip": {"mode": "horizontal"}}]
    assert model["input"] is None
    assert model["inputs"]["right"] == {"shape": [None], "dtype": "string"}
    assert list(model["preprocess"]) == ["right"]
    add, attention = model["layers"][1:3]
    assert list(add) == ["Add", "branches"]
    assert add["branches"][0][0]["Dense"]["kernel_regularizer"] == {"L2": {"l2": 0.1}}
    assert (add["branches"][0][0]["name"], add["branches"][1]) == ("inner", [])
    assert attention["inputs"] == {"inputs": "x"}
    assert training["loss"]["size"]["Huber"]["delta"] == 2
    assert training["loss_weights"] == {"size": 0.5}
    assert [next(iter(metric)) for metric in training["metrics"]["kind"]] == ["SparseCategoricalAccuracy"]


def test_resolved_yaml_of_all_forms_reads_back_to_the_same_experiment(large, tmp_path):
    config = load_config(large)
    (tmp_path / "resolved.yaml").write_text(config.resolved_yaml(), encoding="utf-8")
    assert load_config(tmp_path / "resolved.yaml").resolved() == config.resolved()


def test_configs_are_found():
    assert {filepath.stem for filepath in CONFIGS} >= {"sample_lenet5", "classifier"}


@pytest.mark.parametrize("filepath", CONFIGS, ids=lambda filepath: filepath.stem)
def test_resolved_yaml_reads_back_to_the_same_experiment(filepath, tmp_path):
    config = load_config(filepath)
    (tmp_path / "resolved.yaml").write_text(config.resolved_yaml(), encoding="utf-8")
    again = load_config(tmp_path / "resolved.yaml")
    assert again.resolved() == config.resolved()
    assert again.resolved_yaml() == config.resolved_yaml()


SCALARS = st.text() | st.integers(1 - 10**100, 10**100 - 1) | st.floats(allow_nan=False) | st.booleans() | st.none()
ODD = [
    "no",
    "1e-3",
    "010",
    "0o7",
    "1:30",
    "~",
    "",
    " a ",
    "a\nb",
    "a: b",
    "# a",
    "- a",
    "'",
    '"',
    "<<",
    "=",
    "\t",
    "\ufeff",
]
ODD += [
    "\x85",
    "\u2028",
    "\0",
    "\x7f",
    "\ud800",
    "é" * 200,
    "word " * 60,
    ".inf",
    "9" * 101,
    "!a",
    "&a",
    "*a",
    "%a",
    "@",
    "|",
]


def round_trip(value):
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return read_text(text, source="a.yaml", directory=Path(".")).data


@settings(deadline=None)
@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_dumper_writes_what_reads_back_the_same(value):
    again = round_trip(value)
    assert again == value
    assert repr(again) == repr(value)


@pytest.mark.parametrize("text", ODD, ids=ascii)
def test_dumper_writes_texts_that_look_like_something_else(text):
    assert round_trip({"key": [text], text: 1}) == {"key": [text], text: 1}


def test_dumper_writes_not_a_number():
    assert math.isnan(round_trip(math.nan))


def test_dumper_writes_no_aliases():
    shared = [1]
    assert yaml.dump([shared, shared], Dumper=_Dumper) == "- - 1\n- - 1\n"


@settings(deadline=None)
@given(
    name=st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,20}\Z"),
    seed=st.integers(0, 2**31 - 1),
    split=st.floats(0, 1, exclude_max=True) | st.fixed_dictionaries({"last": st.integers(1, 10**6)}),
    # "$" begins an expression, and a Capitalised name is built
    activation=st.text().filter(lambda text: not text.startswith("$")),
    rate=st.floats(allow_nan=False, allow_infinity=False),
)
def test_resolved_yaml_keeps_every_value(name, seed, split, activation, rate):
    data = yaml.safe_load(SMALL)
    data |= {"name": name, "seed": seed, "data": {"source": "Sample", "validation_split": split}}
    data["model"]["layers"][1]["Dense"]["activation"] = activation
    data["training"]["optimizer"] = {"Adam": {"learning_rate": rate}}
    config = load_config(data)
    again = read_text(config.resolved_yaml(), source="resolved.yaml", directory=Path("."))
    assert again.data == config.resolved()
    assert again.data["model"]["layers"][1]["Dense"]["activation"] == activation
    assert again.data["training"]["optimizer"]["Adam"]["learning_rate"] == rate
    assert (again.data["name"], again.data["data"]["validation_split"]) == (name, split)


def test_resolved_leaves_the_dtype_to_a_layer_that_was_given_none():
    config = {"version": 1, "name": "a", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}}
    layers = ["TextVectorization", {"Dense": {"units": 1, "dtype": "float64"}}]
    model = {"inputs": {"text": {"shape": [1], "dtype": "string"}}, "layers": layers}
    text, dense = load_config(config | {"model": model}).resolved()["model"]["layers"]
    assert "dtype" not in text["TextVectorization"]
    assert dense["Dense"]["dtype"] == "float64"
