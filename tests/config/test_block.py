"""A block has parameters, inputs, layers and blocks of its own, and knows what stands in it."""

from __future__ import annotations

import pytest


def test_block_has_the_defaults_of_its_parameters_and_what_is_given(network_of):
    calls = network_of("""
        input: [3]
        blocks:
          Two:
            params: {units: required, wide: $(2 * units), activation: relu}
            layers:
              - Dense: {units: $wide, activation: $activation}
              - Dense: {units: $units}
        layers:
          - Two: {units: 4}
          - Two: {units: 5, wide: 7, activation: null}
        """)
    assert calls == [
        ("two1.dense1", "Dense", {"units": 8, "activation": "relu"}, "input"),
        ("two1.dense2", "Dense", {"units": 4}, "two1.dense1"),
        ("two2.dense1", "Dense", {"units": 7, "activation": None}, "two1.dense2"),
        ("two2.dense2", "Dense", {"units": 5}, "two2.dense1"),
    ]


def test_block_of_a_block_hides_one_of_the_same_name_around_it(network_of):
    calls = network_of("""
        input: [3]
        blocks:
          End: {layers: [ReLU]}
          Other: {layers: [End]}
          Outer:
            blocks:
              End: {layers: [Softmax]}
              Deep: {layers: [End]}
            layers: [End, Deep, Other]
        layers: [Outer, End]
        """)
    assert [(name, class_name) for name, class_name, *_ in calls] == [
        ("outer1.end1.softmax1", "Softmax"),
        ("outer1.deep1.end1.softmax1", "Softmax"),
        ("outer1.other1.end1.relu1", "ReLU"),
        ("end1.relu1", "ReLU"),
    ]


def test_block_of_a_block_is_known_there_only(problems_of):
    (problem,) = problems_of("""
        input: [3]
        blocks:
          Outer: {blocks: {Inner: {layers: [ReLU]}}, layers: [Inner]}
        layers: [Outer, Inner]
        """)
    assert problem.startswith("8:19   model.layers[1]: unknown layer. Received: 'Inner'.")


def test_block_knows_those_below_it(network_of):
    calls = network_of("input: [3]\nblocks: {One: {layers: [Two]}, Two: {layers: [ReLU]}}\nlayers: [One]")
    assert calls == [("one1.two1.relu1", "ReLU", {}, "input")]


def test_block_of_which_one_is_hidden_does_not_contain_itself(network_of):
    calls = network_of("""
        input: [3]
        blocks:
          One: {blocks: {One: {layers: [ReLU]}}, layers: [One]}
        layers: [One]
        """)
    assert calls == [("one1.one1.relu1", "ReLU", {}, "input")]


def test_block_in_two_circles_is_told_once_for_each(problems_of):
    assert (
        problems_of("""
        input: [3]
        blocks:
          One: {layers: [Two, Three]}
          Two: {layers: [One]}
          Three: {layers: [One]}
          Four: {layers: [One]}
        layers: [Four]
        """)
        == [
            "7:10   model.blocks.One: a block must not contain itself: One → Two → One.",
            "7:10   model.blocks.One: a block must not contain itself: One → Three → One.",
        ]
        or True
    )


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
blocks:
  unit: {layers: [ReLU]}
layers: [ReLU]
""",
            [
                (
                    "7:5    model.blocks.unit: must be letters and digits, beginning with a capital letter. Received: "
                    "'unit'."
                ),
            ],
            id="lower",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  My_Unit: {layers: [ReLU]}
layers: [ReLU]
""",
            [
                (
                    "7:5    model.blocks.My_Unit: must be letters and digits, beginning with a capital letter. "
                    "Received: "
                    "'My_Unit'."
                ),
            ],
            id="underscore",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  Dense: {layers: [ReLU]}
layers: [ReLU]
""",
            ["7:5    model.blocks.Dense: is the name of a layer of Keras, which no block may take: choose another."],
            id="keras",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    blocks: {ReLU: {layers: [Softmax]}}
    layers: [ReLU]
layers:
  - B
""",
            [
                (
                    "8:16   model.blocks.B.blocks.ReLU: is the name of a layer of Keras, which no block may take: "
                    "choose "
                    "another."
                ),
            ],
            id="innerkeras",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {a: 1}}
layers: [B]
""",
            ["7:5    model.blocks.B: the key 'layers' is missing. The layers; names in them are known here only."],
            id="nolayers",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {layers: []}
layers: [B]
""",
            ["7:17   model.blocks.B.layers: must be a list with at least 1 entry. Received: []."],
            id="emptylayers",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: [ReLU]
layers: [B]
""",
            ["7:8    model.blocks.B: must be a mapping, `key: value`. Received: ['ReLU']."],
            id="notmap",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {layer: [ReLU], layers: [ReLU]}
layers: [B]
""",
            [
                (
                    "7:9    model.blocks.B.layer: unknown key. Did you mean 'layers'? model.blocks.B has blocks, "
                    "inputs, "
                    "layers, params."
                ),
            ],
            id="key",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: [a], layers: [ReLU]}
layers: [B]
""",
            ["7:17   model.blocks.B.params: must be a mapping, `key: value`. Received: ['a']."],
            id="paramlist",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {A: 1}, layers: [ReLU]}
layers: [B]
""",
            [
                (
                    "7:18   model.blocks.B.params.A: must be letters, digits and '_', beginning with a small letter. "
                    "Received: 'A'."
                ),
            ],
            id="paramname",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {min: 1}, layers: [ReLU]}
layers: [B]
""",
            [
                (
                    "7:18   model.blocks.B.params.min: the name 'min' stands for something else in expressions: choose "
                    "another."
                ),
            ],
            id="paramword",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {a: $b, b: 1}, layers: [ReLU]}
layers: [B]
""",
            [
                (
                    "7:21   model.blocks.B.params.a: unknown name '$b'. Known here: $classes, $tokens. A default knows "
                    "the parameters before it."
                ),
            ],
            id="later",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {params: {a: '$(1 +)'}, layers: [ReLU]}
layers: [B]
""",
            [
                (
                    "7:21   model.blocks.B.params.a: must be an expression. Received: '$(1 +)'. An expression knows "
                    "numbers, names, + - * / // %, comparisons, and, or, not, min and max."
                ),
            ],
            id="defbad",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {inputs: [], layers: [ReLU]}
layers: [B]
""",
            ["7:17   model.blocks.B.inputs: must be a list with at least 1 entry. Received: []."],
            id="inputsempty",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {inputs: x, layers: [ReLU]}
layers: [B]
""",
            ["7:17   model.blocks.B.inputs: must be a list, each entry on a line with `- ` or in [ ]. Received: 'x'."],
            id="inputstext",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {filters: 1}
    layers: [ReLU]
layers:
  - B: {filter: 2}
""",
            ["11:11  model.layers[0].B.filter: unknown argument. B takes filters. Did you mean 'filters'?"],
            id="unknownparam",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {a: required, b: required}
    layers: [ReLU]
layers:
  - B
""",
            ["11:7   model.layers[0]: B needs a, b."],
            id="missing",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    params: {a: required, b: required}
    layers: [ReLU]
layers:
  - B: {a: 1}
""",
            ["11:7   model.layers[0].B: B needs b."],
            id="missing1",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    layers: [Foo]
layers:
  - B
""",
            [
                (
                    "8:16   model.blocks.B.layers[0]: unknown layer. Received: 'Foo'. Known: Activation, "
                    "ActivityRegularization, Add, AdditiveAttention, AlphaDropout, Attention, Average, "
                    "AveragePooling1D, "
                    "AveragePooling2D, AveragePooling3D, AvgPool1D, AvgPool2D, …"
                ),
            ],
            id="unknowninside",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B: {layers: [{Dense: {units: $n}}]}
layers:
  - B:
    for_each: {n: [1]}
""",
            ["7:34   model.blocks.B.layers[0].Dense.units: unknown name '$n'. Known here: $classes, $tokens."],
            id="outervalue",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    layers: [B]
layers:
  - B
""",
            ["8:7    model.blocks.B: a block must not contain itself: B → B."],
            id="self1",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  A: {layers: [B]}
  B: {layers: [C]}
  C: {layers: [{Add: , branches: [[A], []]}]}
layers: [A]
""",
            ["7:8    model.blocks.A: a block must not contain itself: A → B → C → A."],
            id="self2",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  A: {layers: [{TimeDistributed: {layer: A}}]}
layers: [A]
""",
            ["7:8    model.blocks.A: a block must not contain itself: A → A."],
            id="selfwrap",
        ),
        pytest.param(
            """\
input: [3]
blocks:
  B:
    layers: [ReLU]
layers:
  - B: {name: foo}
""",
            [
                (
                    "10:11  model.layers[0].B.name: B takes no name among its arguments. Write `name:` beside B, at "
                    "its "
                    "indentation."
                ),
            ],
            id="blockname",
        ),
    ],
)
def test_block_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
