"""Capitalised names with arguments: what is read, what is refused, and in which words."""

from __future__ import annotations

import pytest

from trainkit.config.node import Node, is_node_name, looks_like_node, nodes_inside, parse_node, to_plain


def told(value, kind="layer"):
    _, problems = parse_node(value, kind)
    return [(problem.path, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("value", "kind", "plain"),
    [
        ("Flatten", "layer", {"Flatten": {}}),
        ({"Flatten": None}, "layer", {"Flatten": {}}),
        ({"Dense": {"units": 3}, "name": "digit"}, "layer", {"Dense": {"units": 3}, "name": "digit"}),
        ({"Dense": {"units": "$(2 * classes)"}}, "layer", {"Dense": {"units": "$(2 * classes)"}}),
        ({"Dense": {"units": 3, "dtype": "float32", "trainable": False}}, "layer", None),
        ({"Dense": {"units": 3, "activation": "$$odd"}}, "layer", None),
        ({"Conv2D": {"filters": 3, "kernel_size": [3, 3]}}, "layer", None),
        ({"Adam": {"learning_rate": 1e-3}}, "optimizer", None),
        ({"SparseCategoricalAccuracy": None, "name": "accuracy"}, "metric", None),
        ("Sample", "source", {"Sample": {}}),
        ({"TFLite": {"precision": "int8"}}, "exporter", None),
        ({"Idx": {"images": "a", "labels": "b", "classes": ["x", "y"]}}, "source", None),
    ],
    ids=[
        "bare",
        "colon",
        "name",
        "expression",
        "dtype",
        "dollar",
        "list",
        "optimizer",
        "metric",
        "source",
        "exporter",
        "texts",
    ],
)
def test_parse_node_reads(value, kind, plain):
    node, problems = parse_node(value, kind)
    assert problems == []
    assert node.kind == kind
    assert to_plain(node) == (plain or {key: item or {} for key, item in value.items()})


def test_parse_node_reads_nodes_among_the_arguments():
    schedule = {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": "$(steps // 2)"}}
    node, problems = parse_node({"Adam": {"learning_rate": schedule, "weight_decay": 0.1}}, "optimizer")
    assert problems == []
    ((path, inner),) = nodes_inside(node)
    assert path == ("Adam", "learning_rate")
    assert (inner.kind, inner.class_name) == ("schedule", "CosineDecay")
    assert to_plain(node) == {"Adam": {"learning_rate": schedule, "weight_decay": 0.1}}


def test_parse_node_reads_a_bare_name_among_the_arguments():
    node, problems = parse_node({"Dense": {"units": 3, "kernel_initializer": "HeNormal"}}, "layer")
    assert problems == []
    assert node.arguments["kernel_initializer"].kind == "initializer"
    node, problems = parse_node({"Dense": {"units": 3, "kernel_initializer": "he_normal"}}, "layer")
    assert problems == []
    assert node.arguments["kernel_initializer"] == "he_normal"


DENSE = "Dense takes units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer, "
DENSE += "bias_regularizer, activity_regularizer, …"
CAPITAL = "must be a layer: a mapping with exactly one Capitalised key. Received: the keys "
ALONE = "must be a layer: a Capitalised name, alone or with arguments. Received: "


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (3, [((), f"{ALONE}3.")]),
        (None, [((), f"{ALONE}None.")]),
        (["Dense"], [((), f"{ALONE}['Dense'].")]),
        ({}, [((), f"{CAPITAL}none.")]),
        ({"dense": {}}, [((), f"{CAPITAL}'dense'. Did you mean 'Dense'?")]),
        ({"Dense": {"units": 1}, "Flatten": None}, [((), f"{CAPITAL}'Dense', 'Flatten'.")]),
        ("flaten", [((), "unknown layer. Received: 'flaten'. Did you mean 'Flatten'?")]),
        ({"Dens": {"units": 1}}, [(("Dens",), "unknown layer. Received: 'Dens'. Did you mean 'Dense'?")]),
        ("Adam", [((), "unknown layer. Adam is an optimizer.")]),
        ({"Dense": [3]}, [(("Dense",), "arguments must be a mapping, {name: value}. Received: [3].")]),
        ({"Dense": None}, [(("Dense",), "Dense needs units.")]),
        ("Conv2D", [((), "Conv2D needs filters, kernel_size.")]),
        ({"Dense": {"unit": 1}}, [(("Dense", "unit"), f"unknown argument. {DENSE} Did you mean 'units'?")]),
        ({"Dense": {"units": 1, "zebra": 1}}, [(("Dense", "zebra"), f"unknown argument. {DENSE}")]),
        (
            {"Dense": {"units": 1, "name": "x"}},
            [
                (
                    ("Dense", "name"),
                    "Dense takes no name among its arguments. Write `name:` beside Dense, at its indentation.",
                )
            ],
        ),
        (
            {"Dense": None, "units": 3},
            [
                (
                    ("units",),
                    "unknown key. Beside Dense may stand: name. Indent it further to make it an argument of Dense.",
                )
            ],
        ),
        (
            {"Dense": {"units": 3}, "nam": "x"},
            [(("nam",), "unknown key. Beside Dense may stand: name. Did you mean 'name'?")],
        ),
        (
            {"Dense": {"units": "$clases"}},
            [(("Dense", "units"), "unknown name '$clases'. Did you mean 'classes'? Known here: $classes.")],
        ),
        (
            {"Dense": {"units": 3, "kernel_regularizer": {"L3": {}}}},
            [
                (
                    ("Dense", "kernel_regularizer", "L3"),
                    "unknown regularizer. Received: 'L3'. Known: L1, L1L2, L2, OrthogonalRegularizer.",
                )
            ],
        ),
        (
            {"Dense": {"units": {"Adam": {}}}},
            [(("Dense", "units", "Adam"), "units takes a value, nothing that gets built.")],
        ),
        (
            {"Reshape": {"target_shape": [3, "$nope"]}},
            [(("Reshape", "target_shape", 1), "unknown name '$nope'. Known here: $classes.")],
        ),
    ],
    ids=[
        "number",
        "null",
        "list",
        "empty",
        "small-letter",
        "two",
        "bare",
        "class",
        "other-kind",
        "arguments",
        "missing",
        "missing-two",
        "misspelled",
        "unknown",
        "name",
        "beside",
        "setting",
        "expression",
        "inside",
        "value",
        "in-list",
    ],
)
def test_parse_node_says_what_is_wrong_once(value, problems):
    assert told(value) == problems


def test_parse_node_tells_of_a_torn_expression_once():
    torn = {"units": "$(max(1", "classes": None, "3))": None, "activation": "relu"}
    assert told({"Dense": torn}) == [
        (
            ("Dense", "units"),
            "must be an expression. Received: '$(max(1'. "
            "Quote an expression that holds a comma or bracket: '$(max(a, b))'.",
        )
    ]


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ({"Adam": {"learning_rate": "fast"}}, "optimizer", "must be a number. Received: learning_rate='fast'."),
        ({"Adam": {"beta_1": "0.9"}}, "optimizer", "must be a number. Received: beta_1='0.9'."),
        ({"Adam": {"amsgrad": "no"}}, "optimizer", "must be true or false. Received: amsgrad='no'."),
        ({"Adam": {"amsgrad": 1}}, "optimizer", "must be true or false. Received: amsgrad=1."),
        ({"TFLite": {"precision": "int4"}}, "exporter", "must be one of float32, int8. Received: precision='int4'."),
        ({"TFLite": {"precision": None}}, "exporter", "must be given, not null. Received: precision=None."),
        (
            {"TFLite": {"calibration_samples": 17.5}},
            "exporter",
            "must be a whole number. Received: calibration_samples=17.5.",
        ),
        (
            {"TFLite": {"calibration_samples": True}},
            "exporter",
            "must be a whole number. Received: calibration_samples=True.",
        ),
        ({"TFLite": {"calibration_samples": 0}}, "exporter", "must be at least 1. Received: calibration_samples=0."),
        ({"Mnist": {"path": 3}}, "source", "must be a text. Received: path=3."),
        (
            {"Idx": {"images": "a", "labels": "b", "classes": [0, 1]}},
            "source",
            "must be a list of texts (quote numbers). Received: classes=[0, 1].",
        ),
    ],
    ids=["rate", "text", "boolean", "one", "choice", "null", "half", "true", "least", "path", "texts"],
)
def test_parse_node_checks_types(value, kind, message):
    ((path, found),) = told(value, kind)
    assert found == message
    assert path == (*value, found.split("Received: ")[1].split("=")[0])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"Adam": {"learning_rate": "$classes"}}, "optimizer"),
        ({"ONNX": {"opset": "$classes"}}, "exporter"),
        ({"Idx": {"images": "$classes", "labels": "b"}}, "source"),
        ({"Dense": {"units": "$steps"}}, "layer"),
        ({"EarlyStopping": {"patience": "$epochs"}}, "callback"),
    ],
    ids=["optimizer", "exporter", "source", "layer", "callback"],
)
def test_parse_node_knows_names_by_kind(value, kind):
    ((_, message),) = told(value, kind)
    assert message.startswith("unknown name '$")


def test_parse_node_knows_the_length_of_the_training_in_schedules():
    arguments = {"initial_learning_rate": "$(1/classes)", "decay_steps": "$(steps - 2 * steps_per_epoch + epochs)"}
    assert told({"CosineDecay": arguments}, "schedule") == []


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("digit", True),
        ("conv_1", True),
        ("Digit", False),
        ("_x", False),
        ("1a", False),
        ("a-b", False),
        ("a.b", False),
        ("", False),
        ("é", False),
        (3, False),
        (None, False),
    ],
)
def test_is_node_name_takes_small_identifiers(name, is_one):
    assert is_node_name(name) is is_one


def test_parse_node_refuses_other_names():
    value = {"Dense": {"units": 3}, "name": "Digit"}
    message = "must begin with a small letter and have letters, digits and _ only. Received: name='Digit'."
    assert told(value) == [(("name",), message)]


@pytest.mark.parametrize("kind", ["optimizer", "loss", "callback", "exporter", "source"])
def test_parse_node_has_a_name_for_layers_and_metrics_only(kind):
    ((path, message),) = told({"Zebra": {}, "name": "x"}, kind)[:1]
    assert path == ("name",)
    assert message.startswith("unknown key. Beside Zebra may stand: nothing.")


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("Dense", True),
        ("relu", False),
        ({"Dense": None}, True),
        ({"a": 1}, False),
        ({}, False),
        (3, False),
        ("", False),
    ],
)
def test_looks_like_node_looks_for_a_capital(value, is_one):
    assert looks_like_node(value) is is_one


def test_nodes_are_told_apart():
    assert Node("layer", "Dense") != Node("layer", "Dense")
