"""`repeat`, `for_each` and `when` decide how often a node stands there, and what its copies are called."""

from __future__ import annotations

import pytest


def layers(text):
    return "input: [4]\nlayers:\n" + text


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("  - ReLU:\n    repeat: 3", ["relu1", "relu2", "relu3"]),
        ("  - ReLU:\n    repeat: 1\n    name: a", ["a1"]),
        ("  - ReLU:\n    repeat: $(5 - 3)\n    name: a", ["a1", "a2"]),
        ("  - ReLU:\n    repeat: 0\n    name: a\n  - Softmax:\n    name: a", ["a"]),
        ("  - ReLU:\n    for_each: {i: [7, 5]}\n    name: a", ["a1", "a2"]),
        ("  - ReLU:\n    for_each: {i: [7, 5]}\n    name: a$i", ["a7", "a5"]),
        ("  - ReLU:\n    for_each: {i: [7, 5], j: [b, c]}\n    name: $j$(i * 2)", ["b14", "c10"]),
        ("  - ReLU:\n    for_each: {i: [1, 2, 3]}\n    when: $(i != 2)\n    name: a", ["a1", "a3"]),
        ("  - ReLU:\n    for_each: {i: [1, 2, 3]}\n    when: $(i != 2)", ["relu1", "relu2"]),
        ("  - ReLU:\n    for_each: {i: []}\n  - Softmax", ["softmax1"]),
        ("  - ReLU:\n    when: false\n  - ReLU", ["relu1"]),
        (
            "  - ReLU:\n    name: relu1\n  - ReLU\n  - ReLU:\n    name: relu3\n  - ReLU",
            ["relu1", "relu2", "relu3", "relu4"],
        ),
        ("  - ReLU:\n    name: a\n    repeat: 2\n  - Softmax:\n    name: a", ["a1", "a2", "a"]),
    ],
    ids=[
        "automatic",
        "once",
        "expression",
        "none",
        "for-each",
        "value-in-name",
        "values-in-name",
        "left-out-keeps-its-number",
        "left-out-automatic",
        "empty-list",
        "left-out",
        "taken",
        "beside",
    ],
)
def test_copies_have_their_names(written, names, network_of):
    assert [name for name, *_ in network_of(layers(written))] == names


def test_copies_stand_one_after_the_other(network_of):
    calls = network_of(layers("  - Dense: {units: $u}\n    for_each: {u: [2, 3]}\n  - ReLU:\n    repeat: 2"))
    assert [(name, inputs) for name, _, _, inputs in calls] == [
        ("dense1", "input"),
        ("dense2", "dense1"),
        ("relu1", "dense2"),
        ("relu2", "relu1"),
    ]


def test_copies_have_branches_of_their_own(network_of):
    calls = network_of("""
        input: [4]
        layers:
          - Add:
            for_each: {u: [5, 6]}
            branches:
              - - Rescaling: {scale: $u}
                  repeat: $(u - 4)
              - - Softmax:
                  when: $(u > 5)
        """)
    assert calls == [
        ("rescaling1", "Rescaling", {"scale": 5}, "input"),
        ("add1", "Add", {}, ["rescaling1", "input"]),
        ("rescaling2", "Rescaling", {"scale": 6}, "add1"),
        ("rescaling3", "Rescaling", {"scale": 6}, "rescaling2"),
        ("softmax1", "Softmax", {}, "add1"),
        ("add2", "Add", {}, ["rescaling3", "softmax1"]),
    ]


def test_copies_leave_out_a_layer_with_its_branches(network_of):
    calls = network_of("""
        input: [4]
        layers:
          - ReLU
          - Add:
            when: $(1 > 2)
            branches: [[Softmax], [{ReLU: , name: inner}]]
          - ReLU
        """)
    assert [(name, inputs) for name, _, _, inputs in calls] == [("relu1", "input"), ("relu2", "relu1")]


def test_copies_go_through_lists_that_are_parameters(network_of):
    calls = network_of(
        """
        input: [4]
        blocks:
          B:
            params: {widths: [1, 2]}
            layers:
              - Dense: {units: $w, activation: $a}
                for_each: {w: $widths, a: [relu, tanh]}
        layers:
          - B
          - B: {widths: [3, $(2 * 2)]}
        """
    )
    assert [arguments for _, _, arguments, _ in calls] == [
        {"units": 1, "activation": "relu"},
        {"units": 2, "activation": "tanh"},
        {"units": 3, "activation": "relu"},
        {"units": 4, "activation": "tanh"},
    ]


def test_copies_may_be_as_many_as_a_network_has_layers(network_of, problems_of):
    assert len(network_of(layers("  - ReLU:\n    repeat: 20000"))) == 20_000
    told = "a network must have at most 20,000 layers and blocks. Received: more."
    assert problems_of(layers("  - ReLU:\n    repeat: 20000\n  - ReLU")) == [f"9:7    model.layers[1]: {told}"]


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: $(classes - 1)
""",
            [
                (
                    "8:15   model.layers[0].repeat: `repeat` must be known before the data are read. Received: "
                    "$(classes "
                    "- 1)."
                ),
            ],
            id="repclasses",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {n: 1}
    layers: [{ReLU: , repeat: $n}]
layers:
  - B: {n: many}
""",
            [
                (
                    "9:33   model.blocks.B.layers[0].repeat: `repeat` must be a whole number, at least 0. Received: "
                    "'many'. (in b1)"
                ),
            ],
            id="repparam",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    repeat: 1000000000
""",
            [
                (
                    "8:15   model.layers[0].repeat: a network must have at most 20,000 layers and blocks. Received: "
                    "1,000,000,000 copies."
                ),
            ],
            id="rephuge",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {w: 3}
    layers: [{Dense: {units: $u}, for_each: {u: $w}}]
layers:
  - B
""",
            ["9:47   model.blocks.B.layers[0].for_each: `for_each` must have lists of values. Received: u=3. (in b1)"],
            id="feparam",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {w: [1, 2]}
    layers: [{Dense: {units: $u}, for_each: {u: $w, v: [1]}}]
layers:
  - B
""",
            [
                (
                    "9:47   model.blocks.B.layers[0].for_each: must have lists of one length, which are gone through"
                    " side"
                    " by side. Received: u has 2, v has 1. (in b1)"
                ),
            ],
            id="felenparam",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    for_each: {a: [$classes]}
""",
            ["8:17   model.layers[0].for_each: `for_each` must be known before the data are read. Received: $classes."],
            id="feclasses",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {n: 1}
    layers: [{ReLU: , when: $n}]
layers:
  - B
""",
            ["9:31   model.blocks.B.layers[0].when: `when` must be true or false. Received: $n, which is 1. (in b1)"],
            id="whennum",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    when: $(classes > 2)
""",
            ["8:13   model.layers[0].when: `when` must be known before the data are read. Received: $(classes > 2)."],
            id="whenclasses",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: x
""",
            ["8:13   model.layers[0].name: the name 'x' is taken already, by what stands before a layer."],
            id="namex",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: input
""",
            ["8:13   model.layers[0].name: the name 'input' is taken already, by the input 'input'."],
            id="nameinput",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: a
  - Softmax:
    name: a
""",
            ["10:13  model.layers[1].name: the name 'a' is taken already, by model.layers[0]."],
            id="nametwice",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: a
    repeat: 2
  - Softmax:
    name: a2
""",
            ["11:13  model.layers[1].name: the name 'a2' is taken already, by model.layers[0]."],
            id="namecopies",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: r$n
    for_each: {n: [1, 1]}
""",
            [
                (
                    "8:13   model.layers[0].name: each copy would be called 'r1': remove it, or let it have a value of "
                    "`for_each`."
                ),
            ],
            id="namesame",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: r$n
    for_each: {n: [1.5]}
""",
            ["8:13   model.layers[0].name: $n must be a whole number or a text, to be part of a name: 1.5."],
            id="namevalue",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: $n
    for_each: {n: [Foo]}
""",
            [
                (
                    "8:13   model.layers[0].name: must begin with a small letter and have letters, digits and _ only. "
                    "Received: name='Foo'."
                ),
            ],
            id="namevalue2",
        ),
    ],
)
def test_copies_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
