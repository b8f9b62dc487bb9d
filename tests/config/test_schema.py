"""The JSON Schema for editors: it accepts what loads, refuses the usual mistakes, and knows what can be built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from trainkit.config import load_config, make_schema
from trainkit.config.yaml_reader import read_file
from trainkit.errors import ConfigError

ROOT = Path(__file__).parents[2]
CONFIGS = sorted([*ROOT.glob("configs/**/*.yaml"), *ROOT.glob("trainkit/config/templates/*.yaml")])


@pytest.fixture(scope="module")
def schema():
    return make_schema()


@pytest.fixture(scope="module")
def errors_of(schema):
    validator = Draft202012Validator(schema)
    return lambda data: [error.message for error in validator.iter_errors(data)]


def small(**changes):
    """A small configuration; `model__layers=…` puts something else at `model.layers`, `...` removes it."""
    config = {
        "version": 1,
        "name": "small",
        "data": {"source": "Sample"},
        "model": {"input": [28, 28, 1], "layers": ["Flatten", {"Dense": {"units": "$classes"}, "name": "digit"}]},
        "training": {"loss": "SparseCategoricalCrossentropy"},
    }
    for key, value in changes.items():
        *above, last = key.split("__")
        holder = config
        for part in above:
            holder = holder.setdefault(part, {})
        if value is ...:
            del holder[last]
        else:
            holder[last] = value
    return config


def test_schema_is_one_of_draft_2020_12(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_schema_has_short_descriptions(schema):
    described = [kind for kind in schema["$defs"].values() if "description" in kind]
    assert len(described) > 10
    assert max(len(kind["description"]) for kind in described) < 100


def test_configs_are_found():
    assert {filepath.stem for filepath in CONFIGS} >= {"sample_lenet5", "classifier"}


@pytest.mark.parametrize("filepath", CONFIGS, ids=lambda filepath: filepath.stem)
def test_schema_accepts_every_config(filepath, errors_of):
    assert errors_of(read_file(filepath).data) == []


@pytest.mark.parametrize("filepath", CONFIGS, ids=lambda filepath: filepath.stem)
def test_schema_accepts_every_resolved_config(filepath, errors_of):
    assert errors_of(load_config(filepath).resolved()) == []


GOOD = {
    "small": {},
    "last": {"data__validation_split": {"last": 100}},
    "any-length": {"model__input": [None, 3]},
    "colon": {"model__layers": [{"Flatten": None}, {"Dense": {"units": 10}}]},
    "name-first": {"model__layers": [{"name": "digit", "Dense": {"units": 10}}]},
    "initializer": {"model__layers": [{"Dense": {"units": 10, "kernel_initializer": "he_normal"}}]},
    "initializer-node": {"model__layers": [{"Dense": {"units": 10, "kernel_initializer": {"HeNormal": {"seed": 1}}}}]},
    "wrapper": {"model__layers": [{"Bidirectional": {"layer": {"LSTM": {"units": 3}}}}]},
    "schedule": {"training__optimizer": {"Adam": {"learning_rate": {"CosineDecay": {"initial_learning_rate": 0.1}}}}},
    "rate": {"training__optimizer": {"Adam": {"learning_rate": 0.1}}},
    "best": {"training__best": {"monitor": "val_loss"}},
    "export": {"deploy__export": ["TFLite", {"ONNX": {"opset": 15}}]},
    "metric-name": {"training__metrics": [{"Mean": None, "name": "m"}]},
    "input": {"model__layers": ["Flatten", {"Dense": {"units": 10}, "inputs": "flatten1"}]},
    "inputs": {"model__layers": ["Flatten", {"Concatenate": None, "inputs": ["flatten1", "x"], "name": "both"}]},
    "call-arguments": {
        "model__layers": [
            {"MultiHeadAttention": {"num_heads": 2, "key_dim": 3}, "inputs": {"query": "x", "value": "x"}}
        ]
    },
    "branches": {
        "model__layers": [{"Add": None, "branches": [[{"ReLU": None, "name": "r"}, "ReLU"], [], None], "name": "sum"}]
    },
    "branches-in-branches": {
        "model__layers": [{"Add": {}, "branches": [[{"Add": None, "branches": [["ReLU"], []]}], []]}]
    },
    "several": {
        "model__input": ...,
        "model__inputs": {"left": {"shape": [3]}, "right": {"shape": [None], "dtype": "string"}},
        "model__preprocess": {"right": ["StringLookup"]},
        "model__layers": [{"Dense": {"units": 3}, "inputs": "left", "name": "a"}, {"ReLU": None, "name": "b"}],
        "model__outputs": ["a", "b"],
        "data__inputs": {"left": ["c", "d"], "right": "e"},
        "data__targets": {"a": "f", "b": ["g", "h"]},
        "training__loss": {"a": "Hinge", "b": {"Huber": {"delta": 2}}},
        "training__loss_weights": {"b": 0.5},
        "training__metrics": {"a": ["Mean", {"Mean": None, "name": "m"}], "b": []},
    },
    "loss-node": {"training__loss": {"Huber": {"delta": 2}}},
    "columns": {"data__inputs": ["a", "b"], "data__targets": "c", "data__sample_weight": "w"},
    "balanced": {"data__class_weight": "balanced"},
    "class-weight": {"data__class_weight": {"Cat": 2, "dog": 0.5}},
    "no-split": {"data__validation_split": 0, "data__test_split": 0.5},
    "resize": {"data__resize": {"method": "area", "fit": "pad", "antialias": False}},
    "augment": {"data__augment": ["RandomFlip", {"RandomRotation": {"factor": 0.1}}]},
    "skip": {"data__bad_data": "skip"},
    "skip-many": {"data__bad_data": {"skip": 3}},
    "nulls": {"data__inputs": None, "data__class_weight": None, "model__inputs": None, "model__outputs": None},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD.keys())
def test_schema_accepts_what_loads(changes, errors_of):
    config = load_config(small(**changes))
    assert errors_of(small(**changes)) == []
    assert errors_of(config.resolved()) == []


BAD = {
    "version": {"version": 2},
    "text-version": {"version": "1"},
    "no-name": {"name": ...},
    "bad-name": {"name": "bad name"},
    "seed": {"seed": -1},
    "float-seed": {"seed": 1.5},
    "unknown-key": {"sed": 1},
    "unknown-in-section": {"training__lr": 0.1},
    "no-source": {"data__source": ...},
    "batch-size": {"data__batch_size": "32"},
    "split": {"data__validation_split": 1.5},
    "split-key": {"data__validation_split": {"first": 3}},
    "no-layers": {"model__layers": []},
    "input": {"model__input": 28},
    "zero-input": {"model__input": [0]},
    "small-letter": {"model__layers": ["flatten"]},
    "number": {"model__layers": [3]},
    "null": {"model__layers": [None]},
    "empty": {"model__layers": [{}]},
    "name-only": {"model__layers": [{"name": "digit"}]},
    "two-classes": {"model__layers": [{"Flatten": None, "ReLU": None}]},
    "needs-units": {"model__layers": ["Dense"]},
    "needs-units-colon": {"model__layers": [{"Dense": None}]},
    "misspelled": {"model__layers": [{"Dense": {"unit": 3}}]},
    "list-of-arguments": {"model__layers": [{"Dense": [3]}]},
    "argument-beside": {"model__layers": [{"Dense": {"units": 3}, "activation": "relu"}]},
    "name-inside": {"model__layers": [{"Dense": {"units": 3, "name": "x"}}]},
    "capital-name": {"model__layers": [{"Dense": {"units": 3}, "name": "X"}]},
    "bad-inside": {"model__layers": [{"Dense": {"units": 3, "kernel_regularizer": {"L2": {"l3": 1}}}}]},
    "rate": {"training__optimizer": {"Adam": {"learning_rate": "fast"}}},
    "flag": {"training__optimizer": {"Adam": {"amsgrad": "no"}}},
    "optimizer-name": {"training__optimizer": {"Adam": None, "name": "x"}},
    "metrics": {"training__metrics": "Accuracy"},
    "mode": {"training__best": {"mode": "least"}},
    "precision": {"deploy__export": [{"TFLite": {"precision": "int4"}}]},
    "opset": {"deploy__export": [{"ONNX": {"opset": 17.5}}]},
    "no-exports": {"deploy__export": []},
    "path": {"data__source": {"Mnist": {"path": 3}}},
    "no-images": {"data__source": "Idx"},
    "two-classes-name": {"model__layers": [{"Flatten": None, "ReLU": None, "name": "a", "inputs": "x"}]},
    "settings-only": {"model__layers": [{"name": "a", "inputs": "x"}]},
    "number-inputs": {"model__layers": [{"ReLU": None, "inputs": 3}]},
    "no-inputs": {"model__layers": [{"ReLU": None, "inputs": []}]},
    "empty-inputs": {"model__layers": [{"ReLU": None, "inputs": {}}]},
    "odd-inputs": {"model__layers": [{"ReLU": None, "inputs": ["x", 3]}]},
    "nested-inputs": {"model__layers": [{"ReLU": None, "inputs": {"query": [["x"]]}}]},
    "inputs-and-branches": {"model__layers": [{"Add": None, "inputs": "x", "branches": [["ReLU"], []]}]},
    "inputs-inside": {"model__layers": [{"Add": {"inputs": ["x"]}}]},
    "metric-inputs": {"training__metrics": [{"Mean": None, "inputs": "x"}]},
    "no-branches": {"model__layers": [{"Add": None, "branches": []}]},
    "flat-branches": {"model__layers": [{"Add": None, "branches": ["ReLU", "ReLU"]}]},
    "text-branches": {"model__layers": [{"Add": None, "branches": "ReLU"}]},
    "in-branch": {"model__layers": [{"Add": None, "branches": [[{"Dense": {"unit": 3}}], []]}]},
    "number-in-branch": {"model__layers": [{"Add": None, "branches": [[3], []]}]},
    "no-input": {"model__input": ...},
    "null-input": {"model__input": None},
    "two-inputs": {"model__inputs": {"left": {"shape": [3]}}},
    "capital-input": {"model__input": ..., "model__inputs": {"Left": {"shape": [3]}}},
    "no-shape": {"model__input": ..., "model__inputs": {"left": {}}},
    "dtype": {"model__input": ..., "model__inputs": {"left": {"shape": [3], "dtype": "float16"}}},
    "outputs-text": {"model__outputs": "digit"},
    "capital-output": {"model__outputs": ["Digit"]},
    "preprocess-node": {"model__preprocess": {"Rescaling": {"scale": 2}}},
    "preprocess-text": {"model__preprocess": {"input": "Flatten"}},
    "loss-list": {"training__loss": ["Hinge"]},
    "loss-empty": {"training__loss": {}},
    "loss-by-output": {"training__loss": {"digit": 3}},
    "loss-argument": {"training__loss": {"digit": {"Huber": {"delt": 2}}}},
    "loss-weight": {"training__loss_weights": {"digit": -1}},
    "metrics-node": {"training__metrics": {"Mean": None}},
    "metrics-text": {"training__metrics": {"digit": "Mean"}},
    "columns": {"data__inputs": 3},
    "no-columns": {"data__targets": []},
    "capital-columns": {"data__inputs": {"Input": "a"}},
    "weight-list": {"data__sample_weight": ["w"]},
    "ballanced": {"data__class_weight": "ballanced"},
    "class-weight": {"data__class_weight": {"Cat": -1}},
    "test-split": {"data__test_split": 1},
    "resize": {"data__resize": {"fit": "cover"}},
    "augment": {"data__augment": [{"RandomFlip": {"mod": "vertical"}}]},
    "augment-name": {"data__augment": [{"RandomFlip": None, "name": "x"}]},
    "bad-data": {"data__bad_data": "leave"},
    "bad-data-none": {"data__bad_data": {"skip": 0}},
    "least": {"deploy": {"compress": [{"Distill": {"weight": -0.1}}]}},
    "most": {"deploy": {"compress": [{"Distill": {"weight": 1.1}}]}},
    "below": {"deploy": {"compress": [{"PruneFilters": {"remove": 1}}]}},
    "classes": {"data__source": {"Idx": {"images": "a", "labels": "b", "classes": [0, 1]}}},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_schema_refuses_what_does_not_load(changes, errors_of):
    with pytest.raises(ConfigError, match=r"^config: [12] problems?\n"):
        load_config(small(**changes))
    assert errors_of(small(**changes))


def test_schema_lets_every_argument_be_an_expression(schema):
    definitions = {name: item for name, item in schema["$defs"].items() if "." in name}
    assert len(definitions) > 200
    validator = Draft202012Validator({"$defs": schema["$defs"]})
    refused = [
        name
        for name, item in definitions.items()
        if not validator.evolve(schema={**item, "$defs": schema["$defs"]}).is_valid(
            dict.fromkeys(item["properties"], "$(2 * classes)")
        )
    ]
    assert refused == []


@pytest.mark.parametrize(
    "layer",
    [
        "MyBlock",
        {"MyBlock": {"anything": [1]}},
        {"MyBlock": None, "name": "stem"},
        {"MyBlock": None, "inputs": "x"},
        {"MyBlock": {"a": 1}, "branches": [["Other"], []], "name": "stem"},
    ],
    ids=["bare", "arguments", "name", "inputs", "branches"],
)
def test_schema_lets_other_capitalised_names_pass(layer, errors_of):
    assert errors_of(small(model__layers=[layer])) == []


def test_schema_knows_the_defaults(schema):
    assert schema["$defs"]["layer.Dense"]["properties"]["use_bias"]["default"] is True
    assert schema["$defs"]["layer.Dense"]["required"] == ["units"]
    assert schema["$defs"]["Data"]["properties"]["batch_size"]["default"] == 32


LANGUAGE = {
    "block": {"blocks": {"Unit": {"params": {"n": "required"}, "layers": ["ReLU"]}}, "layers": [{"Unit": {"n": 2}}]},
    "bare-block": {"blocks": {"Unit": {"layers": ["ReLU"]}}, "layers": ["Unit"]},
    "inner-block": {
        "blocks": {"Unit": {"blocks": {"Deep": {"layers": ["ReLU"]}}, "layers": ["Deep"]}},
        "layers": ["Unit"],
    },
    "block-inputs": {
        "blocks": {"Unit": {"inputs": ["x", "skip"], "layers": [{"Add": None, "inputs": ["x", "skip"]}]}},
        "layers": [{"Unit": None, "inputs": {"skip": "x", "x": "input"}}],
    },
    "repeat": {"layers": [{"ReLU": None, "repeat": 0}, {"ReLU": None, "repeat": "$(1 + 1)"}]},
    "for-each": {"layers": [{"Dense": {"units": "$n"}, "for_each": {"n": [3, "$(2 * 2)"]}, "name": "d$n"}]},
    "when": {"layers": [{"ReLU": None, "when": False}, {"ReLU": None, "when": "$(1 < 2)"}]},
    "share": {"layers": ["ReLU", {"share": "relu1"}, {"share": "relu1", "name": "again", "repeat": 2, "inputs": "x"}]},
    "branches": {"layers": [{"Add": None, "branches": [["ReLU"], [], None]}]},
    "wrapped": {"blocks": {"Unit": {"layers": ["ReLU"]}}, "layers": [{"TimeDistributed": {"layer": "Unit"}}]},
    "cells": {"input": [4, 2], "layers": [{"RNN": {"cell": [{"GRUCell": {"units": 2}}]}}]},
    "application": {"layers": [{"KerasApplication": {"application": "VGG16", "weights": "imagenet"}}]},
}


@pytest.mark.parametrize("model", LANGUAGE.values(), ids=LANGUAGE)
def test_schema_accepts_the_language_of_networks(model, errors_of):
    config = small(model={"input": [28, 28, 1]} | model)
    load_config(config)
    assert errors_of(config) == []


def test_schema_accepts_included_files(errors_of):
    assert errors_of(small(include="blocks.yaml")) == errors_of(small(include=["a.yaml", "b.yaml"])) == []


WRONG = {
    "block-name": {"blocks": {"unit": {"layers": ["ReLU"]}}},
    "block-without-layers": {"blocks": {"Unit": {"params": {}}}},
    "block-key": {"blocks": {"Unit": {"layers": ["ReLU"], "param": {}}}},
    "block-layer": {"blocks": {"Unit": {"layers": [{"Dense": {"unit": 3}}]}}},
    "param-name": {"blocks": {"Unit": {"params": {"N": 1}, "layers": ["ReLU"]}}},
    "block-inputs": {"blocks": {"Unit": {"inputs": [], "layers": ["ReLU"]}}},
    "repeat": {"layers": [{"ReLU": None, "repeat": -1}]},
    "repeat-text": {"layers": [{"ReLU": None, "repeat": "two"}]},
    "for-each": {"layers": [{"ReLU": None, "for_each": [1]}]},
    "for-each-name": {"layers": [{"ReLU": None, "for_each": {"N": [1]}}]},
    "for-each-repeat": {"layers": [{"ReLU": None, "for_each": {"n": [1]}, "repeat": 1}]},
    "when": {"layers": [{"ReLU": None, "when": "yes"}]},
    "share": {"layers": ["ReLU", {"share": 3}]},
    "share-branches": {"layers": ["ReLU", {"share": "relu1", "branches": [[]]}]},
    "share-class": {"layers": ["ReLU", {"share": "relu1", "ReLU": None}]},
    "inputs-branches": {"layers": [{"Add": None, "inputs": ["x"], "branches": [[], []]}]},
    "inputs": {"layers": [{"Add": None, "inputs": [["x"]]}]},
    "name": {"layers": [{"Add": None, "name": "Add"}]},
}


@pytest.mark.parametrize("model", WRONG.values(), ids=WRONG)
def test_schema_refuses_what_the_language_of_networks_does(model, errors_of):
    config = small(model={"input": [28, 28, 1], "layers": ["ReLU"]} | model)
    assert errors_of(config)
    with pytest.raises(ConfigError):
        load_config(config)
