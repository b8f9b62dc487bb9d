"""Blocks, repetitions and shared layers are written out to calls of layers."""

from __future__ import annotations

import pytest

RESNET50 = """
input: [224, 224, 3]
blocks:
  ConvBN:
    params: {filters: required, kernel_size: 3, strides: 1, activation: relu}
    layers:
      - Conv2D: {filters: $filters, kernel_size: $kernel_size, strides: $strides, padding: same}
      - BatchNormalization: {epsilon: 1.001e-5}
      - Activation: {activation: $activation}
  Bottleneck:
    params: {filters: required, strides: 1, project: false}
    layers:
      - Add:
        branches:
          - - ConvBN: {filters: $filters, kernel_size: 1, strides: $strides}
            - ConvBN: {filters: $filters}
            - ConvBN: {filters: $(4 * filters), kernel_size: 1, activation: linear}
          - - ConvBN: {filters: $(4 * filters), kernel_size: 1, strides: $strides, activation: linear}
              when: $project
      - ReLU
  Stage:
    params: {filters: required, depth: required, strides: 2}
    layers:
      - Bottleneck: {filters: $filters, strides: $strides, project: true}
      - Bottleneck: {filters: $filters}
        repeat: $(depth - 1)
layers:
  - ConvBN: {filters: 64, kernel_size: 7, strides: 2}
  - MaxPooling2D: {pool_size: 3, strides: 2, padding: same}
  - Stage: {filters: $f, depth: $d, strides: $s}
    for_each: {f: [64, 128, 256, 512], d: [3, 4, 6, 3], s: [1, 2, 2, 2]}
  - GlobalAveragePooling2D
  - Dense: {units: 1000, activation: softmax}
"""


@pytest.mark.parametrize(
    ("depths", "convolutions"), [("[3, 4, 6, 3]", 53), ("[3, 8, 36, 3]", 155)], ids=["resnet50", "resnet152"]
)
def test_expand_writes_out_a_residual_network(depths, convolutions, network_of):
    """He et al., CVPR 2016, table 1: 3 convolutions a bottleneck, 1 before them, 4 projections."""
    calls = network_of(RESNET50.replace("[3, 4, 6, 3]", depths))
    assert len([class_name for _, class_name, *_ in calls if class_name == "Conv2D"]) == convolutions
    inputs = {name: inputs for name, _, _, inputs in calls}
    assert inputs["stage2.bottleneck1.convbn4.conv2d1"] == "stage1.bottleneck3.relu1"
    assert inputs["stage2.bottleneck1.add1"] == [
        "stage2.bottleneck1.convbn3.activation1",
        "stage2.bottleneck1.convbn4.activation1",
    ]
    assert inputs["stage2.bottleneck2.add1"] == ["stage2.bottleneck2.convbn3.activation1", "stage2.bottleneck1.relu1"]
    assert calls[-1][3] == "globalaveragepooling2d1"


UNET = """
input: [64, 64, 1]
blocks:
  Down:
    params: {filters: required}
    layers:
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same}
        name: skip
      - MaxPooling2D
  Up:
    inputs: [x, skip]
    params: {filters: required}
    layers:
      - UpSampling2D
      - Concatenate:
        inputs: [x, skip]
      - Conv2D: {filters: $filters, kernel_size: 3, padding: same}
layers:
  - Down: {filters: $f}
    for_each: {f: [16, 32]}
  - Up: {filters: $f}
    for_each: {i: [2, 1], f: [32, 16]}
    inputs: [x, down$i.skip]
"""


def test_expand_reaches_into_blocks_by_path(network_of):
    calls = network_of(UNET)
    assert [(name, inputs) for name, _, _, inputs in calls if inputs] == [
        ("down1.skip", "input"),
        ("down1.maxpooling2d1", "down1.skip"),
        ("down2.skip", "down1.maxpooling2d1"),
        ("down2.maxpooling2d1", "down2.skip"),
        ("up1.upsampling2d1", "down2.maxpooling2d1"),
        ("up1.concatenate1", ["up1.upsampling2d1", "down2.skip"]),
        ("up1.conv2d1", "up1.concatenate1"),
        ("up2.upsampling2d1", "up1.conv2d1"),
        ("up2.concatenate1", ["up2.upsampling2d1", "down1.skip"]),
        ("up2.conv2d1", "up2.concatenate1"),
    ]


SHARED = """
input: [3]
blocks:
  Pair:
    layers:
      - Dense: {units: 3}
        name: one
      - share: one
  Outer:
    params: {units: required}
    layers:
      - Pair:
        name: pair
      - share: pair
        name: again
      - share: pair.one
      - Dense: {units: $units}
layers:
  - Outer: {units: 3}
    name: outer
    repeat: 2
  - share: outer1
    name: third
  - share: third
    name: fourth
  - share: third.again.one
  - Dense: {units: 2}
    name: d$i
    for_each: {i: [1, 2]}
  - share: d$(3 - i)
    for_each: {i: [1, 2]}
    name: s$i
"""


def test_expand_calls_shared_layers_again(load_model):
    calls = load_model(SHARED).experiment.model.network.calls
    pair = ["pair.one", "pair.share1", "again.one", "again.share1", "share1"]
    own = {f"outer{i}.{name}": f"outer{i}.pair.one" for i in (1, 2) for name in pair}
    again = {f"{outer}.{name}": "outer1.pair.one" for outer in ("third", "fourth") for name in pair}
    last = {"outer1.dense1": "outer1.dense1", "outer2.dense1": "outer2.dense1"}
    last |= {"third.dense1": "outer1.dense1", "fourth.dense1": "outer1.dense1", "share1": "outer1.pair.one"}
    last |= {"d1": "d1", "d2": "d2", "s1": "d2", "s2": "d1"}
    assert {name: call.layer for name, call in calls.items()} == own | again | last
    assert calls["third.pair.one"].inputs == "outer2.dense1"
    assert calls["fourth.pair.one"].inputs == "third.dense1"


def test_expand_shares_a_block_with_the_values_it_was_used_with(load_model):
    calls = load_model("""
        input: [3]
        blocks: {B: {params: {u: 1}, layers: [{Dense: {units: $u}, repeat: $(u - 1)}]}}
        layers:
          - B: {u: $i}
            for_each: {i: [2, 3]}
          - share: b2
          - share: b1
        """).experiment.model.network.calls
    assert [(name, call.node.arguments["units"], call.layer) for name, call in calls.items()] == [
        ("b1.dense1", 2, "b1.dense1"),
        ("b2.dense1", 3, "b2.dense1"),
        ("b2.dense2", 3, "b2.dense2"),
        ("share1.dense1", 3, "b2.dense1"),
        ("share1.dense2", 3, "b2.dense2"),
        ("share2.dense1", 2, "b1.dense1"),
    ]


def test_expand_calls_a_wrapped_or_built_in_network_again(load_model):
    calls = load_model("""
        input: [4, 32, 32, 3]
        blocks: {B: {layers: [Flatten, {Dense: {units: 3}}]}}
        layers:
          - TimeDistributed: {layer: B}
            name: steps
          - share: steps
            inputs: input
            name: again
          - TimeDistributed: {layer: {KerasApplication: {application: VGG16, include_top: false}}}
            inputs: input
            name: vgg
          - share: vgg
            inputs: input
          - Add:
            inputs: [vgg, share1, vgg.block1_conv1, share1.block1_conv1]
        """).experiment.model.network.calls
    found = [(name, call.layer, [wrapper.class_name for wrapper in call.wrappers]) for name, call in calls.items()]
    assert found == [
        ("steps.flatten1", "steps.flatten1", ["TimeDistributed"]),
        ("steps.dense1", "steps.dense1", ["TimeDistributed"]),
        ("again.flatten1", "steps.flatten1", ["TimeDistributed"]),
        ("again.dense1", "steps.dense1", ["TimeDistributed"]),
        ("vgg", "vgg", ["TimeDistributed"]),
        ("share1", "vgg", ["TimeDistributed"]),
        ("add1", "add1", []),
    ]


def test_expand_wraps_every_layer_of_the_blocks_in_a_block(load_model):
    calls = load_model("""
        input: [2, 4, 5]
        blocks:
          Inner: {layers: [ReLU]}
          B: {layers: [Inner, {TimeDistributed: {layer: Inner}}, {TimeDistributed: {layer: Softmax}}]}
        layers:
          - TimeDistributed: {layer: B}
          - ReLU
        """).experiment.model.network.calls
    assert [(name, len(call.wrappers), call.node.class_name) for name, call in calls.items()] == [
        ("timedistributed1.inner1.relu1", 1, "ReLU"),
        ("timedistributed1.timedistributed1.relu1", 2, "ReLU"),
        ("timedistributed1.timedistributed2", 1, "TimeDistributed"),
        ("relu1", 0, "ReLU"),
    ]


def test_expand_prepares_inputs_with_blocks(network_of):
    calls = network_of("""
        inputs: {left: {shape: [3]}, right: {shape: [3]}}
        blocks: {Scale: {params: {by: 2}, layers: [{Rescaling: {scale: $by}}, ReLU]}}
        preprocess: {right: [Scale: {by: 3}]}
        layers:
          - Add:
            inputs: [left, right]
        """)
    assert calls == [
        ("scale1.rescaling1", "Rescaling", {"scale": 3}, "right"),
        ("scale1.relu1", "ReLU", {}, "scale1.rescaling1"),
        ("add1", "Add", {}, ["left", "scale1.relu1"]),
    ]


def chain(count, use, last="ReLU"):
    """Blocks that each use the next."""
    lines = [f"  B{i}: {{layers: [{use.format(i + 1) if i < count - 1 else last}]}}" for i in range(count)]
    return "\n".join(["input: [3, 4]", "blocks:", *lines, "layers: [B0]"])


def test_expand_takes_fifty_blocks_in_each_other(network_of, problems_of):
    ((name, *_),) = network_of(chain(50, "B{}"))
    assert name.count(".") == 50
    told = "blocks must be at most 50 deep inside each other."
    assert problems_of(chain(51, "B{}")) == [f"56:20  model.blocks.B49.layers[0]: {told}"]
    assert problems_of(chain(3000, "B{}")) == [f"56:20  model.blocks.B49.layers[0]: {told}"]


@pytest.mark.parametrize("count", [60, 2000])
def test_expand_takes_fifty_blocks_in_each_other_also_as_arguments(count, problems_of):
    (problem,) = problems_of(chain(count, "{{Bidirectional: {{layer: B{}}}}}", "{LSTM: {units: 2}}"))
    assert problem.endswith("blocks must be at most 50 deep inside each other.")


def test_expand_refuses_blocks_that_double_forty_times(problems_of):
    (problem,) = problems_of(chain(40, "B{0}, B{0}"))
    assert problem.endswith("a network must have at most 20,000 layers and blocks. Received: more.")


def test_expand_refuses_blocks_without_layers_without_end(problems_of):
    lines = "\n".join(f"  B{i}: {{layers: [B{i + 1}, B{i + 1}]}}" for i in range(40))
    (problem,) = problems_of(
        f"input: [3]\nblocks:\n{lines}\n  B40: {{layers: [{{ReLU: , when: false}}]}}\nlayers: [B0]"
    )
    assert problem.endswith("a network must have at most 20,000 layers and blocks. Received: more.")


def test_expand_refuses_expressions_that_double_without_end(problems_of):
    lines = [f"  B{i}: {{params: {{u: 1}}, layers: [{{B{i + 1}: {{u: $(u + u)}}}}]}}" for i in range(20)]
    lines.append("  B20: {params: {u: 1}, layers: [{Dense: {units: $u}}]}")
    (problem,) = problems_of("\n".join(["input: [3]", "blocks:", *lines, "layers: [{B0: {u: $classes}}]"]))
    assert "an expression must have at most 200 characters. Received: " in problem


def test_expand_tells_a_problem_of_many_copies_once(problems_of):
    assert problems_of("""
        input: [3]
        blocks: {B: {params: {u: 1}, layers: [{Dense: {units: $(1 // u)}}]}}
        layers:
          - B: {u: 0}
            repeat: 3
        """) == [
        "6:57   model.blocks.B.layers[0].Dense.units: '$(1 // u)' cannot be computed: integer division or modulo by "
        "zero. (in b1)"
    ]


@pytest.mark.parametrize(
    ("model", "problems"),
    [
        pytest.param(
            """\
input: [3]
blocks: {B: {inputs: [a, b], layers: [{Add: , inputs: [a, b]}]}}
layers: [B]
""",
            ["7:12   model.layers[0]: B takes 2 inputs, a, b. Received: input."],
            id="bin1",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {inputs: [a, b], layers: [{Add: , inputs: [a, b]}]}}
layers:
  - B:
    inputs: {a: x, c: x}
""",
            ["9:15   model.layers[0].inputs: B takes 2 inputs, a, b. Received: a, c."],
            id="bin2",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [ReLU]}}
layers:
  - B:
    inputs: [x, x]
""",
            ["9:15   model.layers[0].inputs: B takes one input. Received: input, input."],
            id="bin3",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [ReLU]}}
layers:
  - B:
    branches: [[], []]
""",
            ["8:7    model.layers[0]: B takes one input. Received: input, input."],
            id="bin4",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {inputs: [a, b], layers: [ReLU]}}
layers:
  - B:
    inputs: [x, x]
""",
            [
                (
                    "6:41   model.blocks.B.layers[0]: nothing stands before it: write `inputs:` with one of a, b, or "
                    "several. (in b1)"
                ),
            ],
            id="bin5",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {inputs: [a, b], layers: [{Add: , inputs: {a: [a, b]}}, {Add: , inputs: [x, c]}]}}
layers:
  - B:
    inputs: {a: x, b: [x, x]}
""",
            [
                "6:91   model.blocks.B.layers[1].inputs[1]: unknown layer 'c'. Known: a, b, add1. (in b1)",
                "9:15   model.layers[0].inputs: B takes 2 inputs, a, b. Received: several for b.",
            ],
            id="bin6",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {inputs: [a, b], layers: [{Add: , inputs: [a, b], when: false}]}}
layers:
  - B:
    inputs: [x, x]
""",
            ["8:7    model.layers[0]: B has no layer here: each is left out, and it cannot pass on several inputs."],
            id="bnone",
        ),
        pytest.param(
            """\
input: [3, 2]
blocks: {B: {layers: [ReLU, Softmax]}}
layers:
  - Bidirectional: {layer: B}
""",
            ["8:30   model.layers[0].Bidirectional.layer: B must be one layer, to stand inside another."],
            id="bidir",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [ReLU]}}
layers: [B]
outputs: [b1.relu2]
""",
            ["8:13   model.outputs[0]: unknown layer 'b1.relu2'. Did you mean 'b1.relu1'?"],
            id="outblock",
        ),
        pytest.param(
            """\
input: [3]
blocks: {B: {layers: [{ReLU: , when: false}]}}
layers: [B, ReLU]
outputs: [b1]
""",
            ["8:13   model.outputs[0]: 'b1' passes on an input as it is: each layer in it is left out."],
            id="outpass",
        ),
        pytest.param(
            """\
input: [3]
layers: [{ReLU: , when: false}]
""",
            ["6:11   model.layers: must have a layer: each that is written is left out."],
            id="outnone",
        ),
    ],
)
def test_expand_tells_what_is_wrong_and_where(model, problems, problems_of):
    assert problems_of(model) == problems
