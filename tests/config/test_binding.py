"""Values of parameters and loops stand where their names are."""

from __future__ import annotations

import pytest

from trainkit.config.node import Node


def one_block(params, layer, use):
    return f"input: [3, 4]\nblocks:\n  B:\n    params: {params}\n    layers:\n      - {layer}\nlayers:\n  - {use}\n"


@pytest.mark.parametrize(
    ("params", "layer", "use", "arguments"),
    [
        ("{a: 1}", "Dense: {units: $a}", "B", {"units": 1}),
        ("{a: 1}", "Dense: {units: $a}", "B: {a: 2}", {"units": 2}),
        ("{a: 1}", "Dense: {units: $(2 * a + 1)}", "B: {a: $(2 + 3)}", {"units": 11}),
        ("{a: 1}", "Dense: {units: 3, activation: $a}", "B: {a: null}", {"units": 3, "activation": None}),
        ("{a: 1}", "Dense: {units: 3, use_bias: $(a == 'no')}", "B: {a: no}", {"units": 3, "use_bias": True}),
        ("{a: true}", "Dense: {units: 3, use_bias: $(not a)}", "B", {"units": 3, "use_bias": False}),
        ("{a: [2, 6]}", "Reshape: {target_shape: $a}", "B", {"target_shape": [2, 6]}),
        ("{a: 6}", "Reshape: {target_shape: [2, $a]}", "B", {"target_shape": [2, 6]}),
        ("{kernelSize: 6, kernel: 2}", "Dense: {units: $kernelSize}", "B", {"units": 6}),
        ("{a: $classes}", "Dense: {units: $a}", "B", {"units": "$classes"}),
        ("{a: $(classes + 1)}", "Dense: {units: $(2 * a)}", "B", {"units": "$(2 * (classes + 1))"}),
        ("{a: 1, b: 3}", "Dense: {units: $(b - a)}", "B: {a: $(classes - 1)}", {"units": "$(3 - (classes - 1))"}),
        ("{a: -3}", "Dense: {units: $(classes - a)}", "B", {"units": "$(classes - -3)"}),
        ("{classes: 5}", "Dense: {units: $classes}", "B", {"units": 5}),
        ("{classes: 5}", "Dense: {units: $classes}", "B: {classes: $classes}", {"units": "$classes"}),
        ("{a: 1, classes: 5}", "Dense: {units: $(a * classes)}", "B: {a: $classes}", {"units": "$(classes * 5)"}),
        ("{a: 1}", "Dense: {units: 3, activation: $$a}", "B", {"units": 3, "activation": "$$a"}),
    ],
    ids=[
        "default",
        "given",
        "expression",
        "null",
        "text",
        "boolean",
        "list",
        "in-list",
        "capitals",
        "fact",
        "fact-in-expression",
        "fact-and-value",
        "negative",
        "shadow",
        "shadow-given-the-fact",
        "shadow-beside-the-fact",
        "dollar",
    ],
)
def test_bind_puts_values_where_their_names_stand(params, layer, use, arguments, network_of):
    assert network_of(one_block(params, layer, use)) == [
        (f"b1.{layer.split(':')[0].lower()}1", layer.split(":")[0], arguments, "input")
    ]


def plain(value):
    """A node as `(name, arguments)`."""
    if isinstance(value, Node):
        return value.class_name, {key: plain(item) for key, item in value.arguments.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("params", "layer", "use", "argument", "node"),
    [
        (
            "{l: 1}",
            "Dense: {units: 1, kernel_regularizer: {L2: {l2: $l}}}",
            "B: {l: 0.5}",
            "kernel_regularizer",
            ("L2", {"l2": 0.5}),
        ),
        (
            "{r: {L2: {l2: 3}}}",
            "Dense: {units: 1, kernel_regularizer: $r}",
            "B",
            "kernel_regularizer",
            ("L2", {"l2": 3}),
        ),
        ("{r: HeNormal}", "Dense: {units: 1, kernel_initializer: $r}", "B", "kernel_initializer", ("HeNormal", {})),
        ("{r: he_normal}", "Dense: {units: 1, kernel_initializer: $r}", "B", "kernel_initializer", "he_normal"),
        (
            "{u: 2, r: {L2: {l2: $(u / 4)}}}",
            "Dense: {units: 1, bias_regularizer: $r}",
            "B: {u: 3}",
            "bias_regularizer",
            ("L2", {"l2": 0.75}),
        ),
        ("{c: 1}", "RNN: {cell: $c}", "B: {c: {GRUCell: {units: 3}}}", "cell", ("GRUCell", {"units": 3})),
        (
            "{c: 1}",
            "RNN: {cell: [$c, {GRUCell: {units: $(1 + 1)}}]}",
            "B: {c: {Cell: {u: 4}}}",
            "cell",
            [("LSTMCell", {"units": 4}), ("GRUCell", {"units": 2})],
        ),
        ("{c: 1}", "RNN: {cell: {Cell: {u: $c}}}", "B: {c: 9}", "cell", ("LSTMCell", {"units": 9})),
        ("{c: 1}", "RNN: {cell: $c}", "B: {c: {Cell: {u: $(2 + 3)}}}", "cell", ("LSTMCell", {"units": 5})),
        (
            "{c: 1, classes: 4}",
            "RNN: {cell: $c}",
            "B: {c: {Cell: {u: $classes}}}",
            "cell",
            ("LSTMCell", {"units": "$classes"}),
        ),
        (
            "{c: 1}",
            "StackedRNNCells: {cells: $c}",
            "B: {c: [{Cell: {u: 2}}, Cell]}",
            "cells",
            [("LSTMCell", {"units": 2}), ("LSTMCell", {"units": 7})],
        ),
    ],
    ids=[
        "value-in-it",
        "default",
        "bare",
        "identifier",
        "default-in-it",
        "layer",
        "in-list",
        "block",
        "given-block",
        "given-fact",
        "list",
    ],
)
def test_bind_puts_things_that_get_built(params, layer, use, argument, node, load_model):
    text = one_block(params, layer, use).replace(
        "blocks:\n", "blocks:\n  Cell: {params: {u: 7}, layers: [LSTMCell: {units: $u}]}\n"
    )
    (call,) = load_model(text).experiment.model.network.calls.values()
    assert plain(call.node.arguments[argument]) == node


def test_bind_gives_each_copy_its_own(network_of):
    calls = network_of("""
        input: [3]
        blocks: {B: {params: {u: 1}, layers: [Dense: {units: $u}]}}
        layers:
          - B: {u: $(i * i)}
            for_each: {i: [2, 3]}
          - Dense: {units: $i}
            for_each: {i: [5]}
        """)
    assert [(name, arguments["units"]) for name, _, arguments, _ in calls] == [
        ("b1.dense1", 4),
        ("b2.dense1", 9),
        ("dense1", 5),
    ]


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {u: 1}
    layers: [{Dense: {units: $(2 * u)}}]
layers:
  - B: {u: abc}
""",
            [
                (
                    "9:32   model.blocks.B.layers[0].Dense.units: '$(2 * u)' cannot be computed: u is 'abc', not a "
                    "number. (in b1)"
                ),
            ],
            id="notnumber",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {u: 1}
    layers: [{Dense: {units: $(2 * u)}}]
layers:
  - B: {u: [1]}
""",
            [
                (
                    "9:32   model.blocks.B.layers[0].Dense.units: '$(2 * u)' cannot be computed: u is [1], not a "
                    "number. "
                    "(in b1)"
                ),
            ],
            id="notnumber_list",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {u: 1}
    layers: [{Dense: {units: $(classes * u)}}]
layers:
  - B: {u: [1]}
""",
            ["9:32   model.blocks.B.layers[0].Dense.units: $u is [1]: an expression takes numbers. (in b1)"],
            id="listwait",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {u: 1}
    layers: [{Dense: {units: $u}}]
layers:
  - B: {u: $(1 / 0)}
""",
            ["11:14  model.layers[0].B.u: '$(1 / 0)' cannot be computed: division by zero."],
            id="argexpr",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {a: 0, b: $(1 / a)}, layers: [{Dense: {units: $b}}]}
layers: [B]
""",
            ["8:12   model.layers[0]: the default of 'b': '$(1 / a)' cannot be computed: division by zero."],
            id="div0",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {u: 1}
    layers: [{Dense: {units: $u}}]
layers:
  - B: {u: {L2: {l2: 1}}}
""",
            ["9:32   model.blocks.B.layers[0].Dense.units: units takes a value, nothing that gets built. (in b1)"],
            id="built",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {r: 1}
    layers: [{Dense: {units: 1, kernel_regularizer: $r}}]
layers:
  - B: {r: {L9: {l2: 1}}}
""",
            [
                (
                    "9:55   model.blocks.B.layers[0].Dense.kernel_regularizer: unknown regularizer. Received: 'L9'. "
                    "Known: L1, L1L2, L2, OrthogonalRegularizer. (in b1)"
                ),
            ],
            id="built2",
        ),
    ],
)
def test_binding_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems


def test_binding_lets_facts_wait_in_what_gets_built(network_of):
    text = one_block("{a: 1}", "Dense: {units: 2, bias_initializer: {Constant: {value: $(a + 1)}}}", "B: {a: $classes}")
    ((_, _, arguments, _),) = network_of(text)
    assert plain(arguments["bias_initializer"]) == ("Constant", {"value": "$(classes + 1)"})


def test_binding_tells_the_place_of_what_gets_built(problems_of):
    text = one_block("{a: 0}", "Dense: {units: 2, bias_initializer: {Constant: {value: $(1 / a)}}}", "B")
    assert problems_of(text) == [
        "10:66  model.blocks.B.layers[0].Dense.bias_initializer.Constant.value: '$(1 / a)' cannot be computed: "
        "division by zero. (in b1)"
    ]
