"""Whether outputs, losses, metrics and data fit each other."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.errors import ConfigError
from trainkit.training import prepare

NUMBERS = ["data.targets=size", "training.loss=MeanSquaredError"]
TWO_CLASSES = ["data.source.target=is_high", "data.targets=is_high", "training.loss=BinaryCrossentropy"]


def units(count, activation="linear"):
    return f"model.layers=[{{Dense: {{units: {count}, activation: {activation}}}, name: answer}}]"


@pytest.mark.parametrize(
    "overrides",
    [
        [*NUMBERS, units(1), "training.metrics=[MeanAbsoluteError, RootMeanSquaredError, R2Score]"],
        ["data.targets=[size, weight]", "training.loss=Huber", units(2), "training.metrics=[MeanSquaredError]"],
        ["training.loss=CategoricalCrossentropy", "training.metrics=[CategoricalAccuracy, AUC, Precision]"],
        ["training.loss=KLDivergence", "training.metrics=[TopKCategoricalAccuracy: {k: 2}]"],
        [*TWO_CLASSES, units(1, "sigmoid"), "training.metrics=[BinaryAccuracy, AUC]"],
        [*TWO_CLASSES, units(1), "training.loss={BinaryCrossentropy: {from_logits: true}}"],
    ],
    ids=["number", "numbers", "one-hot", "divergence", "binary", "logit"],
)
def test_head_that_fits_is_taken(overrides, prepared):
    assert prepared(*overrides).model.loss


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            [*NUMBERS, units(3)],
            r"model\.layers\[0\]: Dense 'answer', after the input, gives the shape \(3,\); its targets have the shape "
            r"\(1,\)\. Write `units: 1`\.",
        ),
        (
            [*NUMBERS, "model.layers=[{Reshape: {target_shape: [1, 5]}}, {Dense: {units: 1}, name: answer}]"],
            r"Dense 'answer', after Reshape 'reshape1', gives the shape \(1, 1\); .* \(1,\)\.$",
        ),
        (
            [*NUMBERS, units(1), "training.loss=SparseCategoricalCrossentropy"],
            r"training\.loss: SparseCategoricalCrossentropy takes classes; the target of 'answer' is a number\. "
            r"Use MeanSquaredError, or name the column in the source's `categorical` or give its `classes`\.",
        ),
        (
            [*NUMBERS, units(1), "training.loss=CategoricalCrossentropy"],
            r"training\.loss: CategoricalCrossentropy takes classes",
        ),
        (
            [*NUMBERS, units(1), "training.metrics=[MeanAbsoluteError, SparseCategoricalAccuracy]"],
            r"training\.metrics\[1\]: SparseCategoricalAccuracy does not measure numbers\. Use MeanAbsoluteError",
        ),
        (
            [*NUMBERS, units(1), "training.metrics=[Accuracy]"],
            r"training\.metrics\[0\]: Accuracy does not measure numbers",
        ),
        (
            ["training.loss=CategoricalCrossentropy", "training.metrics=[SparseTopKCategoricalAccuracy]"],
            r"training\.metrics\[0\]: .* does not measure the probabilities that CategoricalCrossentropy takes\. "
            r"Use TopKCategoricalAccuracy\.",
        ),
        (
            ["training.loss=CategoricalCrossentropy", units(2)],
            r"Dense 'answer', after the input, gives 2 values for 3 classes: they must be 3\. Write `units: \$classes`",
        ),
        (
            [*TWO_CLASSES, units(1, "sigmoid"), "training.metrics=[SparseCategoricalAccuracy]"],
            r"does not measure the probability of one class\. Use BinaryAccuracy",
        ),
        (
            [*TWO_CLASSES, units(2, "softmax")],
            r"gives 2 values for 2 classes: the loss takes 1\. Write `units: 1` and `activation: sigmoid`",
        ),
    ],
    ids=[
        "units",
        "rank",
        "loss-of-ids",
        "loss-of-probabilities",
        "metric-of-ids",
        "accuracy",
        "metric-of-one-hot",
        "one-hot-units",
        "binary-metric",
        "binary-units",
    ],
)
def test_head_that_does_not_fit_is_named(overrides, told, prepared):
    with pytest.raises(ConfigError, match=told):
        prepared(*overrides)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "model.layers.size.units=3",
            r"20:7 +model\.layers\[3\]: Dense 'size', after .* \(line 16\), gives .*units: 2",
        ),
        ("model.layers.kind.units=2", r"18:7 +.*\[2\]: Dense 'kind', after Dense 'trunk' \(line 16\), gives 2 values"),
        (
            "training.loss.size=SparseCategoricalCrossentropy",
            r"training\.loss\.size: .*the target of 'size' is a number",
        ),
        ("training.loss.kind=MeanSquaredError", r"training\.loss\.kind: MeanSquaredError does not take class ids"),
        ("training.metrics.size=[Accuracy]", r"training\.metrics\.size\[0\]: Accuracy does not measure numbers"),
        ("training.metrics.kind=[Accuracy]", r"training\.metrics\.kind\[0\]: .*Use SparseCategoricalAccuracy"),
    ],
    ids=["numbers-layer", "classes-layer", "numbers-loss", "classes-loss", "numbers-metric", "classes-metric"],
)
def test_head_that_does_not_fit_is_named_among_several(override, told, two_config):
    with pytest.raises(ConfigError, match=told):
        prepare(load_config(two_config, [override]))


def test_head_in_a_branch_is_not_said_to_stand_after_the_input(prepared):
    branches = "branches: [[{Dense: {units: 7}}, {Dense: {units: 2}, name: answer}], [Dense: {units: 2}]]"
    with pytest.raises(
        ConfigError, match=r"branches\[0\]\[1\]: Dense 'answer', after Dense 'dense1', gives 2 values for 3 classes"
    ):
        prepared(
            f"model.layers=[{{Add: , name: sum, {branches}}}]",
            "model.outputs=[answer, sum]",
            "data.targets={answer: kind, sum: kind}",
            "training.loss={answer: SparseCategoricalCrossentropy, sum: SparseCategoricalCrossentropy}",
        )


def test_answer_for_each_step_is_refused_with_what_makes_one_of_them(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.ones((4, 1)), x_lengths=[1, 3], y=[0, 1])
    config = {
        "version": 1,
        "name": "steps",
        "data": {"source": {"Npz": {"path": str(tmp_path / "data.npz")}}, "validation_split": 0},
        "model": {"input": [None, 1], "layers": [{"Dense": {"units": 2}}]},
        "training": {"loss": "SparseCategoricalCrossentropy"},
    }
    told = r"\(None, 2\), one answer .* Put a global pooling, or a recurrent layer without `return_sequences`, before"
    with pytest.raises(ConfigError, match=told):
        prepare(load_config(config))


@pytest.mark.parametrize(
    ("overrides", "notes"),
    [
        ([], []),
        (
            [
                "training.loss={SparseCategoricalCrossentropy: {from_logits: true}}",
                "model.layers.answer.activation=linear",
            ],
            [],
        ),
        (["model.layers.answer.activation=linear"], ["its activation is linear. Write `activation: softmax`"]),
        (["model.layers.answer.activation=sigmoid"], ["its activation is sigmoid. Write `activation: softmax`"]),
    ],
    ids=["softmax", "logits", "linear", "sigmoid"],
)
def test_a_loss_of_probabilities_is_noted_where_there_are_none(prepared, overrides, notes):
    found = [note for note in prepared(*overrides).splits.notes if "takes probabilities" in note]
    assert len(found) == len(notes)
    assert all(told in note for told, note in zip(notes, found, strict=True))
