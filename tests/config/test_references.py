"""Names that fit each other: each problem once, at the entry that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainkit.config.validation import validate
from trainkit.config.yaml_reader import read_text

ONE = """\
version: 1
name: one
data:
  source: Sample
model:
  input: [3]
  preprocess:
    - Rescaling: {scale: 2}
      name: scaled
  layers:
    - Dense: {units: 4}
      name: wide
    - Add:
      branches:
        - - Dense: {units: 4}
            name: inner
        - []
      name: sum
    - Dense: {units: 2}
      inputs: sum
      name: digit
training:
  loss: MeanSquaredError
"""
TWO = """\
version: 1
name: two
data:
  source: Sample
  inputs: {left: a, right: [b, c]}
  targets: {digit: d, parity: e}
model:
  inputs: {left: {shape: [3]}, right: {shape: [3]}}
  preprocess:
    left: [Rescaling: {scale: 2}]
  layers:
    - Add:
      inputs: [left, right]
      name: both
    - Dense: {units: 2}
      name: digit
    - Dense: {units: 1}
      inputs: both
      name: parity
  outputs: [digit, parity]
training:
  loss: {digit: Hinge, parity: Hinge}
  loss_weights: {parity: 0.5}
  metrics: {digit: [Mean]}
"""
SHORT = "`input: [28, 28, 1]` is short for `inputs: {input: {shape: [28, 28, 1]}}`."
NO_SETTINGS = "a layer of preprocess takes what stands before it: it has no inputs, no branches."
NOTHING = "nothing stands before it: write `inputs:` with one of"


def problems_of(text, *changes):
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    _, problems = validate(read_text(text, source="a.yaml", directory=Path(".")))
    return [str(problem) for problem in problems]


@pytest.mark.parametrize("text", [ONE, TWO], ids=["one", "two"])
def test_check_references_lets_names_pass_that_fit(text):
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ([("  input: [3]\n", "")], f"6:3    model: needs `input`, a shape, or `inputs`, a mapping. {SHORT}"),
        (
            [("  input: [3]\n", "  input: [3]\n  inputs: {left: {shape: [3]}}\n")],
            f"6:3    model: has both: remove one. {SHORT}",
        ),
        (
            [("  input: [3]\n", "  inputs: {x: {shape: [3]}}\n")],
            "6:15   model.inputs.x: the name 'x' is taken already, by what stands before a layer.",
        ),
        (
            [("name: digit", "name: x")],
            "21:13  model.layers[2].name: the name 'x' is taken already, by what stands before a layer.",
        ),
        (
            [("name: digit", "name: input")],
            "21:13  model.layers[2].name: the name 'input' is taken already, by the input 'input'.",
        ),
        (
            [("name: digit", "name: inner")],
            "21:13  model.layers[2].name: the name 'inner' is taken already, by model.layers[1].branches[0][0].",
        ),
        (
            [("name: inner", "name: wide")],
            "16:19  model.layers[1].branches[0][0].name: the name 'wide' is taken already, by model.layers[0].",
        ),
        (
            [("name: wide", "name: scaled")],
            "9:13   model.preprocess[0].name: the name 'scaled' is taken already, by model.layers[0].",
        ),
        ([("name: scaled", "inputs: input")], f"8:7    model.preprocess[0]: {NO_SETTINGS}"),
        ([("name: scaled", "branches: [[ReLU], []]")], f"8:7    model.preprocess[0]: {NO_SETTINGS}"),
        (
            [("inputs: sum", "inputs: wid")],
            "20:15  model.layers[2].inputs: unknown layer 'wid'. Did you mean 'wide'?",
        ),
        (
            [("inputs: sum", "inputs: zebra")],
            "20:15  model.layers[2].inputs: unknown layer 'zebra'. Known: input, wide, inner, sum.",
        ),
        (
            [("inputs: sum", "inputs: [wide, zebra]")],
            "20:22  model.layers[2].inputs[1]: unknown layer 'zebra'. Known: input, wide, inner, sum.",
        ),
        (
            [("inputs: sum", "inputs: {query: x, value: inne}")],
            "20:33  model.layers[2].inputs.value: unknown layer 'inne'. Did you mean 'inner'?",
        ),
        (
            [("inputs: sum", "inputs: scaled")],
            "20:15  model.layers[2].inputs: 'scaled' is a layer of preprocess: take 'input', the input that it "
            "prepares.",
        ),
        (
            [("name: wide", "inputs: sum")],
            "12:15  model.layers[0].inputs: 'sum' stands below: a layer takes what stands above it.",
        ),
        (
            [("inputs: sum", "inputs: digit")],
            "20:15  model.layers[2].inputs: 'digit' stands below: a layer takes what stands above it.",
        ),
        (
            [("            name: inner", "            inputs: [sum, x]")],
            "16:22  model.layers[1].branches[0][0].inputs[0]: 'sum' stands below: a layer takes what stands above it.",
        ),
        (
            [("training:", "  outputs: [digit, digt]\ntraining:")],
            "22:20  model.outputs[1]: unknown layer 'digt'. Did you mean 'digit'?",
        ),
        (
            [("training:", "  outputs: [digit, digit]\ntraining:")],
            "22:20  model.outputs[1]: 'digit' is an output already.",
        ),
        (
            [("training:", "  outputs: [digit, sum]\ntraining:")],
            "24:9   training.loss: must be a mapping from the outputs digit, sum: `loss: {digit: …}`.",
        ),
        (
            [("loss: MeanSquaredError", "loss: {digit: Hinge, digt: Hinge}")],
            "23:30  training.loss.digt: unknown output 'digt'. Did you mean 'digit'?",
        ),
        (
            [("Sample\n", "Sample\n  targets: {digit: a, zebra: b}\n")],
            "5:30   data.targets.zebra: unknown output 'zebra'. Known: digit.",
        ),
        (
            [("Sample\n", "Sample\n  inputs: {input: a, left: b}\n")],
            "5:28   data.inputs.left: unknown input 'left'. Known: input.",
        ),
    ],
    ids=[
        "no-input",
        "both-inputs",
        "input-x",
        "layer-x",
        "as-input",
        "as-branch",
        "in-branch",
        "as-preprocess",
        "preprocess-inputs",
        "preprocess-branches",
        "near",
        "unknown",
        "in-list",
        "in-mapping",
        "preprocess-layer",
        "below",
        "itself",
        "around",
        "output",
        "output-twice",
        "two-outputs-one-loss",
        "loss",
        "targets",
        "inputs",
    ],
)
def test_check_references_of_one_input(changes, problem):
    assert problems_of(ONE, *changes) == [problem]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            [("left: [Rescaling: {scale: 2}]", "- Rescaling: {scale: 2}")],
            "10:5   model.preprocess: must be a mapping from left, right to lists of layers.",
        ),
        (
            [("left: [Rescaling", "lefd: [Rescaling")],
            "10:11  model.preprocess.lefd: unknown input 'lefd'. Did you mean 'left'?",
        ),
        (
            [("[Rescaling: {scale: 2}]", "[Flatten, {Rescaling: {scale: 2}, inputs: left}]")],
            f"10:21  model.preprocess.left[1]: {NO_SETTINGS}",
        ),
        ([("      inputs: [left, right]\n", "")], f"12:7   model.layers[0]: {NOTHING} left, right, or several."),
        ([("[left, right]", "x")], f"13:15  model.layers[0].inputs: {NOTHING} left, right, or several."),
        ([("[left, right]", "[left, x]")], f"13:22  model.layers[0].inputs[1]: {NOTHING} left, right, or several."),
        (
            [("inputs: [left, right]", "branches: [[{ReLU: , inputs: left}], [ReLU]]")],
            f"13:45  model.layers[0].branches[1][0]: {NOTHING} left, right, relu1, or several.",
        ),
        (
            [("inputs: [left, right]", "branches: [[], [{ReLU: , inputs: left}]]")],
            f"13:18  model.layers[0].branches[0]: {NOTHING} left, right, or several.",
        ),
        (
            [("loss: {digit: Hinge, parity: Hinge}", "loss: Hinge")],
            "22:9   training.loss: must be a mapping from the outputs digit, parity: `loss: {digit: …}`.",
        ),
        (
            [("loss: {digit: Hinge, parity: Hinge}", "loss: {digit: Hinge}")],
            "22:9   training.loss: must have each output of the model. Missing: parity.",
        ),
        (
            [("{parity: 0.5}", "{both: 0.5}")],
            "23:24  training.loss_weights.both: unknown output 'both'. Known: digit, parity.",
        ),
        (
            [("metrics: {digit: [Mean]}", "metrics: [Mean]")],
            "24:12  training.metrics: must be a mapping from the outputs digit, parity: `metrics: {digit: …}`.",
        ),
        (
            [("metrics: {digit: [Mean]}", "metrics: {digits: [Mean]}")],
            "24:21  training.metrics.digits: unknown output 'digits'. Did you mean 'digit'?",
        ),
        (
            [("metrics: {digit: [Mean]}", "metrics: {digit: [{Mean: , name: m}, {Sum: , name: m}]}")],
            "24:54  training.metrics.digit[1].name: the name 'm' is taken already, by training.metrics.digit[0].",
        ),
        (
            [("{left: a, right: [b, c]}", "[a, b, c]")],
            "5:11   data.inputs: must be a mapping from the inputs left, right to columns.",
        ),
        (
            [("{left: a, right: [b, c]}", "{left: a}")],
            "5:11   data.inputs: must have each input of the model. Missing: right.",
        ),
        (
            [("{digit: d, parity: e}", "d")],
            "6:12   data.targets: must be a mapping from the outputs digit, parity to columns.",
        ),
        (
            [("{digit: d, parity: e}", "{parity: e}")],
            "6:12   data.targets: must have each output of the model. Missing: digit.",
        ),
    ],
    ids=[
        "preprocess-list",
        "preprocess-name",
        "preprocess-inputs",
        "first-layer",
        "first-x",
        "first-x-in-list",
        "first-branch",
        "first-empty-branch",
        "loss",
        "loss-missing",
        "loss-weights",
        "metrics",
        "metrics-name",
        "metrics-twice",
        "inputs",
        "inputs-missing",
        "targets",
        "targets-missing",
    ],
)
def test_check_references_of_several_inputs_and_outputs(changes, problem):
    assert problems_of(TWO, *changes) == [problem]


@pytest.mark.parametrize(
    "changes",
    [
        [("inputs: sum", "inputs: x")],
        [("inputs: sum", "inputs: [input, wide, inner, sum, x]")],
        [("inputs: sum", "inputs: {query: x, value: inner}")],
        [("            name: inner", "            inputs: [wide, x, input]")],
        [("name: digit", "name: dense3")],
        [("loss: MeanSquaredError", "loss: {digit: Hinge}\n  metrics: {digit: [Mean]}\n  loss_weights: {digit: 2}")],
        [("    - Rescaling: {scale: 2}\n      name: scaled", "    input: [Flatten]")],
        [("Sample\n", "Sample\n  inputs: {input: a}\n  targets: {digit: [b, c]}\n")],
    ],
    ids=["x", "all", "mapping", "in-branch", "automatic", "per-output", "per-input", "columns"],
)
def test_check_references_knows_every_name_above(changes):
    assert problems_of(ONE, *changes) == []


def test_check_references_lets_metrics_of_two_outputs_have_one_name():
    metrics = "metrics: {digit: [{Mean: , name: m}], parity: [{Mean: , name: m}]}"
    assert problems_of(TWO, ("metrics: {digit: [Mean]}", metrics)) == []


def test_check_references_lists_every_problem_of_its_kind():
    changes = [("inputs: [left, right]", "inputs: [lefd, right]"), ("inputs: both", "inputs: bot")]
    assert problems_of(TWO, *changes, ("{parity: 0.5}", "{odd: 0.5}")) == [
        "13:16  model.layers[0].inputs[0]: unknown layer 'lefd'. Did you mean 'left'?",
        "18:15  model.layers[2].inputs: unknown layer 'bot'. Did you mean 'both'?",
    ]


def test_check_references_counts_automatic_names_past_those_of_inputs():
    text = ONE.replace("  input: [3]\n", "  inputs: {dense1: {shape: [3]}}\n").replace("      name: digit\n", "")
    experiment, problems = validate(read_text(text, source="a.yaml", directory=Path(".")))
    assert problems == []
    assert list(experiment.model.network.calls) == ["scaled", "wide", "inner", "sum", "dense2"]
    assert experiment.model.output_names == ["dense2"]
