"""Names stand for what is known where they are written."""

from __future__ import annotations

import pytest


def inputs_of(calls):
    return {name: inputs for name, _, _, inputs in calls}


def test_resolve_knows_layers_blocks_and_paths(network_of):
    calls = network_of(
        """
        input: [4]
        blocks:
          Deep: {layers: [{ReLU: , name: first}, Softmax]}
          B: {layers: [Deep, {Add: , inputs: [x, deep1, deep1.first]}]}
        layers:
          - B:
            name: b
          - Add:
            inputs: [input, b, b.deep1.first, x, b.deep1, b.add1]
        """
    )
    assert inputs_of(calls)["b.add1"] == ["b.deep1.softmax1", "b.deep1.softmax1", "b.deep1.first"]
    assert inputs_of(calls)["add1"] == [
        "input",
        "b.add1",
        "b.deep1.first",
        "b.add1",
        "b.deep1.softmax1",
        "b.add1",
    ]


def test_resolve_knows_the_inputs_of_a_block_before_anything_outside(network_of):
    """`skip` is a layer outside, too, and stands for another one in the block."""
    calls = network_of("""
        input: [4]
        blocks:
          B:
            inputs: [skip, other]
            layers:
              - Add:
                inputs: [skip, other]
              - Add:
                inputs: [x, skip]
        layers:
          - ReLU:
            name: skip
          - ReLU:
            name: other
          - B:
            inputs: [other, input]
          - B:
            inputs: {other: skip, skip: x}
        """)
    assert inputs_of(calls) == {
        "skip": "input",
        "other": "skip",
        "b1.add1": ["other", "input"],
        "b1.add2": ["b1.add1", "other"],
        "b2.add1": ["b1.add2", "skip"],
        "b2.add2": ["b2.add1", "b1.add2"],
    }


def test_resolve_takes_x_for_what_stands_before_also_where_it_is_an_input(network_of):
    calls = network_of("""
        input: [4]
        blocks: {B: {inputs: [x, side], layers: [ReLU, {Add: , inputs: [x, side]}, Softmax]}}
        layers:
          - Dense: {units: 4}
          - B:
            inputs: [input, x]
        """)
    assert inputs_of(calls) == {
        "dense1": "input",
        "b1.relu1": "input",
        "b1.add1": ["b1.relu1", "dense1"],
        "b1.softmax1": "b1.add1",
    }


def test_resolve_begins_every_branch_with_what_stands_before(network_of):
    calls = network_of("""
        input: [4]
        layers:
          - ReLU
          - Add:
            branches: [[{Add: , inputs: [x, input]}], [], [Softmax, {Add: , inputs: [x, relu1]}]]
        """)
    assert inputs_of(calls)["add1"] == ["relu1", "input"]
    assert inputs_of(calls)["add2"] == ["softmax1", "relu1"]
    assert inputs_of(calls)["add3"] == ["add1", "relu1", "add2"]


def test_resolve_puts_values_into_names(network_of):
    calls = network_of("""
        input: [4]
        layers:
          - ReLU:
            name: part$i
            for_each: {i: [1, 2, 3]}
          - Add:
            inputs: {first: part$i, second: [part$(i - 1), x]}
            for_each: {i: [3, 2]}
        """)
    assert inputs_of(calls)["add1"] == {"first": "part3", "second": ["part2", "part3"]}
    assert inputs_of(calls)["add2"] == {"first": "part2", "second": ["part1", "add1"]}


def test_resolve_knows_values_of_a_layer_by_number_and_parts_of_an_application(network_of):
    calls = network_of("""
        input: [4, 4]
        layers:
          - LSTM: {units: 4, return_state: true}
            name: lstm
          - Add:
            inputs: [lstm, lstm.1, lstm.2]
          - share: lstm
            inputs: input
            name: again
          - Add:
            inputs: [x, again.1]
          - KerasApplication: {application: VGG16}
            name: vgg
          - Add:
            inputs: [vgg.block1_conv1, x]
        """)
    assert inputs_of(calls)["add1"] == ["lstm", "lstm.1", "lstm.2"]
    assert inputs_of(calls)["add2"] == ["again", "again.1"]
    assert inputs_of(calls)["add3"] == ["vgg.block1_conv1", "vgg"]


def test_resolve_takes_a_block_without_layers_for_what_it_is_given(network_of):
    calls = network_of(
        """
        input: [4]
        blocks: {B: {params: {on: false}, layers: [{ReLU: , when: $on}]}}
        layers:
          - Softmax
          - B:
            name: b
          - B: {on: true}
            inputs: b
          - Add:
            inputs: [x, b]
        """
    )
    assert inputs_of(calls) == {"softmax1": "input", "b1.relu1": "softmax1", "add1": ["b1.relu1", "softmax1"]}


def test_resolve_lists_few_of_many_names(problems_of):
    (problem,) = problems_of("input: [4]\nlayers:\n  - ReLU:\n    repeat: 100\n  - Add:\n    inputs: zebra")
    assert problem.endswith(
        "Known: input, "
        + ", ".join(f"relu{i}" for i in range(1, 10))
        + ", …, "
        + ", ".join(f"relu{i}" for i in range(93, 101))
        + "."
    )


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - share: foo
""",
            ["8:14   model.layers[1].share: unknown layer 'foo'. Known: relu1."],
            id="sharemissing",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - share: foo
  - ReLU:
    name: foo
""",
            ["7:14   model.layers[0].share: 'foo' stands below: a layer takes what stands above it."],
            id="sharelater",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: encoder
  - share: encoderr
""",
            ["9:14   model.layers[1].share: unknown layer 'encoderr'. Did you mean 'encoder'?"],
            id="sharenear",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - share: input
""",
            ["8:14   model.layers[1].share: 'input' is an input: it has no layers."],
            id="shareinput",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: foo
    when: false
  - share: foo
""",
            ["10:14  model.layers[1].share: 'foo' is left out here: its `when` is false."],
            id="shareout",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [{share: foo}]}}
layers:
  - ReLU:
    name: foo
  - B
""",
            [
                (
                    "6:33   model.blocks.B.layers[0].share: 'foo' stands outside: a block can call its own layers "
                    "again "
                    "only. (in b1)"
                ),
            ],
            id="shareoutside",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    inputs: foo
""",
            ["8:15   model.layers[0].inputs: unknown layer 'foo'. Known: input."],
            id="inunknown",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    inputs: [x, b]
  - ReLU:
    name: b
""",
            ["8:19   model.layers[0].inputs[1]: 'b' stands below: a layer takes what stands above it."],
            id="inbelow",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - Add:
    inputs: [x, b]
    name: b
""",
            ["8:19   model.layers[0].inputs[1]: 'b' stands below: a layer takes what stands above it."],
            id="inself",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU:
    name: b
    when: false
  - Add:
    inputs: [x, b]
""",
            ["11:19  model.layers[1].inputs[1]: 'b' is left out here: its `when` is false."],
            id="inleft",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [{ReLU: , name: skip}]}}
layers:
  - B:
    name: b
  - Add:
    inputs: [x, b.skipp]
""",
            ["11:19  model.layers[1].inputs[1]: unknown layer 'b.skipp'. Did you mean 'b.skip'?"],
            id="inpath",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [{Add: , inputs: [x, foo]}]}}
layers:
  - ReLU:
    name: foo
  - B
""",
            [
                (
                    "6:45   model.blocks.B.layers[0].inputs[1]: 'foo' stands outside: a block knows its own layers. "
                    "Give "
                    "it `inputs:`, and write 'foo' there. (in b1)"
                ),
            ],
            id="inoutside",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - ReLU:
    inputs: relu$i
""",
            ["9:15   model.layers[1].inputs: unknown name '$i'. Known here: none."],
            id="invalue",
        ),
        pytest.param(
            """\
input: [3]
layers:
  - ReLU
  - ReLU:
    inputs: relu$classes
""",
            ["9:15   model.layers[1].inputs: unknown name '$classes'. Known here: none."],
            id="inclasses",
        ),
    ],
)
def test_resolve_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
