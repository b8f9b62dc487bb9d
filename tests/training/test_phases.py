"""Which layers learn, in each phase, and with which optimizer."""

from __future__ import annotations

import json

import numpy as np
import pytest

import trainkit
from trainkit.errors import ConfigError
from trainkit.framework import tf
from trainkit.training.phases import apply_phase, optimizer_of, phase_lines

LAYERS = (
    "model.layers=[{Body: , name: body}, {Body: , name: tail}, "
    "{Dense: {units: $classes, activation: softmax}, name: answer}]"
)
BLOCKS = "model.blocks={Body: {layers: [{Dense: {units: 4}}, BatchNormalization]}}"
NETWORK = (BLOCKS, LAYERS)
HEAD_FIRST = "training={loss: SparseCategoricalCrossentropy, phases: PHASES}"


@pytest.fixture
def phased(prepared):
    """Prepare the table with a network of two blocks and some phases."""
    return lambda phases, *more: prepared(*NETWORK, HEAD_FIRST.replace("PHASES", phases), *more)


def learning(model):
    return [layer.name for layer in model.layers if layer.weights and layer.trainable]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (["freeze=[body]"], ["tail.dense1", "tail.batchnormalization1", "answer"]),
        (["freeze=['body.*']"], ["tail.dense1", "tail.batchnormalization1", "answer"]),
        (["freeze=['*.batchnormalization?']"], ["body.dense1", "tail.dense1", "answer"]),
        (["freeze=['*']", "unfreeze=[answer]"], ["answer"]),
        (["freeze=[body, tail]", "unfreeze=['*.dense1']"], ["body.dense1", "tail.dense1", "answer"]),
    ],
)
def test_prepare_freezes_what_patterns_fit(settings, expected, prepared):
    model = prepared(*NETWORK, *(f"training.{setting}" for setting in settings)).model
    assert learning(model) == expected


def test_frozen_batch_normalization_keeps_its_statistics_in_training(train, prepared):
    """They stay at 0 and 1; those of the block that learns do not."""
    run = train(*NETWORK, "training.freeze=[body]", "training.optimizer={SGD: {learning_rate: 0.1}}").run
    model, start = tf.keras.models.load_model(run.model, compile=False), prepared(*NETWORK).model
    for name in ("body.dense1", "body.batchnormalization1"):
        for left, right in zip(model.get_layer(name).get_weights(), start.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    assert np.abs(model.get_layer("tail.batchnormalization1").get_weights()[2]).min() > 0
    assert learning(model) == ["tail.dense1", "tail.batchnormalization1", "answer"]  # the file tells what was frozen
    measured = json.loads(run.metrics.read_text())["test"]
    assert trainkit.evaluate(run.directory)["confusion_matrix"] == measured["confusion_matrix"]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("freeze=[bodi]", r"training\.freeze\[0\]: must fit a layer\. Received: 'bodi'\. Did you mean 'body'\?"),
        (
            "unfreeze=['zzz*']",
            r"training\.unfreeze\[0\]: must fit a layer\. Received: 'zzz\*'\. Known: input, body",
        ),
        ("freeze=['*']", r"training\.freeze: must leave layers that learn: nothing does"),
        ("freeze=body", r"training\.freeze: must be a list"),
        ("freeze=['']", r"training\.freeze\[0\]: "),
    ],
)
def test_prepare_refuses_patterns_that_fit_nothing_or_everything(setting, told, prepared):
    with pytest.raises(ConfigError, match=told):
        prepared(*NETWORK, f"training.{setting}")


def test_phases_freeze_from_the_networks_own_state(phased):
    """The second phase says nothing of `body`, so it learns there again; `trainable: false` of a layer stays."""
    layers = LAYERS.replace("{Body: , name: tail}", "{Dense: {units: 3, trainable: false}, name: still}")
    found = phased("[{epochs: 3, freeze: [body]}, {steps: 7, unfreeze: [still]}, {epochs: 1}]", layers)
    expected = [["answer"], ["body.dense1", "body.batchnormalization1", "still", "answer"]]
    expected.append(["body.dense1", "body.batchnormalization1", "answer"])
    assert learning(found.model) == expected[0]
    for phase, names in zip(found.phases, expected, strict=True):
        apply_phase(found.model, phase)
        assert learning(found.model) == names
    assert list(phase_lines(found.phases)) == [
        "phase1, 3 epochs: 12 parameters learn, 55 are frozen",  # 3·3 + 3; body 5·4 + 4 + 4·4, still 4·3 + 3
        "phase2, 7 steps: 59 parameters learn",  # 24 + 8 + 15 + 12, without 8 statistics
        "phase3, 1 epoch: 44 parameters learn, 15 are frozen",
    ]


def test_phases_put_a_layer_inside_another_back_as_it_was(prepared):
    layers = (
        "model.layers=[{Reshape: {target_shape: [1, 5]}}, "
        "{TimeDistributed: {layer: {Dense: {units: 2, trainable: false}}}, name: steps}, Flatten, "
        "{Dense: {units: $classes, activation: softmax}, name: answer}]"
    )
    found = prepared(
        layers, "training={loss: SparseCategoricalCrossentropy, phases: [{epochs: 1, unfreeze: [steps]}, {epochs: 1}]}"
    )
    states = []
    for phase in found.phases:
        apply_phase(found.model, phase)
        states.append(found.model.get_layer("steps").layer.trainable)
    assert states == [True, False]


def test_all_phases_are_those_of_the_training_where_they_say_nothing(phased):
    found = phased("[{epochs: 1, name: one}, {epochs: 2, callbacks: [TerminateOnNaN]}]", "training.freeze=[tail]")
    one, two = found.phases
    assert (one.name, two.name) == ("one", "phase2")
    assert [len(phase.callbacks) for phase in (one, two)] == [0, 1]
    assert one.optimizer is two.optimizer is found.config.experiment.training.optimizer
    assert one.frozen == two.frozen == 4 * 4 + 4 + 4 * 4


RATES = {
    "number": ("{epochs: 2, learning_rate: 0.25}", 0.25),
    "factor": ("{epochs: 2, learning_rate_factor: 0.01}", 0.001 * 0.01),
    "own optimizer": ("{epochs: 2, optimizer: {SGD: {learning_rate: 0.5}}}", 0.5),
    "factor of an own": ("{epochs: 2, optimizer: {SGD: {learning_rate: 0.5}}, learning_rate_factor: 0.5}", 0.25),
}


@pytest.mark.parametrize(("phase", "rate"), RATES.values(), ids=RATES)
def test_a_phase_has_a_rate_of_its_own(phase, rate, phased):
    found = phased(f"[{{epochs: 1}}, {phase}]")
    first, second = (optimizer_of(found.config, found.splits.train, phase) for phase in found.phases)
    assert float(first.learning_rate) == pytest.approx(0.001)  # of Adam
    assert float(second.learning_rate) == pytest.approx(rate)


def test_steps_of_a_schedule_are_those_of_its_phase(phased):
    """100 training samples in batches of 32 are 4 steps an epoch; the cosine is 0 after them, and halved by then."""
    schedule = "{CosineDecay: {initial_learning_rate: 0.5}}"
    phases = f"[{{epochs: 3}}, {{steps: 10, learning_rate: {schedule}}}, {{epochs: 2, learning_rate_factor: 0.1}}]"
    found = phased(phases, f"training.optimizer={{SGD: {{learning_rate: {schedule}}}}}")
    optimizers = [optimizer_of(found.config, found.splits.train, phase) for phase in found.phases]
    assert [phase.length(found.config.experiment, found.splits.train).steps for phase in found.phases] == [12, 10, 8]
    for optimizer, steps, highest in zip(optimizers, [12, 10, 8], [0.5, 0.5, 0.05], strict=True):
        rate = optimizer._learning_rate
        values = [float(rate(step)) for step in (0, steps // 2, steps)]
        assert values == pytest.approx([highest, highest / 2, 0], abs=1e-7)
        twin = type(optimizer).from_config(optimizer.get_config())
        assert float(twin._learning_rate(steps // 2)) == pytest.approx(highest / 2)


WRONG = {
    "length": ("[{freeze: [body]}]", r"phases\[0\]: must say how long it lasts: `epochs`, or `steps`\."),
    "both": ("[{epochs: 1, steps: 2}]", r"phases\[0\]\.steps: must not stand beside `epochs`"),
    "rates": (
        "[{epochs: 1, learning_rate: 1, learning_rate_factor: 2}]",
        r"must not stand beside `learning_rate`,",
    ),
    "rate": ("[{epochs: 1, learning_rate: 1, optimizer: {SGD: {learning_rate: 1}}}]", r"the phase's own optimizer"),
    "names": ("[{epochs: 1, name: a}, {epochs: 1, name: a}]", r"phases\[1\]\.name: must be a name of its own\."),
    "pattern": (
        "[{epochs: 1}, {epochs: 1, freeze: [boddy]}]",
        r"phases\[1\]\.freeze\[0\]: must fit a layer\. .*'body'",
    ),
    "all": ("[{epochs: 1}, {epochs: 1, freeze: ['*']}]", r"phases\[1\]\.freeze: must leave layers that learn"),
    "no rate": ("[{epochs: 1, learning_rate: 0}]", r"phases\[0\]\.learning_rate: must be greater than 0"),
    "monitor": (
        "[{epochs: 1}, {epochs: 1, callbacks: [{EarlyStopping: {monitor: val_los}}]}]",
        r"Did you mean 'val_loss'",
    ),
    "plateau": (
        "[{epochs: 1}, {epochs: 1, callbacks: [ReduceLROnPlateau], learning_rate: "
        "{CosineDecay: {initial_learning_rate: 0.5}}}]",
        r"ReduceLROnPlateau has no effect on a schedule",
    ),
    "schedule": (
        "[{epochs: 1}, {epochs: 1, learning_rate: {CosineDecay: {initial_learning_rate: 0.5, alfa: 2}}}]",
        r"phases\[1\]\.learning_rate\.CosineDecay\.alfa: unknown argument",
    ),
    "none": ("[]", r"training\.phases: must be a list with at least 1 entry"),
}


@pytest.mark.parametrize(("phases", "told"), WRONG.values(), ids=WRONG)
def test_problems_of_every_phase_are_told_with_their_place(phases, told, phased):
    with pytest.raises(ConfigError, match=told):
        phased(phases)


def test_phases_stand_in_the_place_of_epochs_and_resolve(prepared, phased, tmp_path):
    with pytest.raises(ConfigError, match=r"training\.epochs: must not stand beside `phases`"):
        prepared("training.phases=[{epochs: 1}]")
    config = phased("[{epochs: 1, learning_rate: {CosineDecay: {initial_learning_rate: 0.5}}}]").config
    (tmp_path / "resolved.yaml").write_text(config.resolved_yaml())
    again = trainkit.config.load_config(tmp_path / "resolved.yaml")
    assert again.resolved() == config.resolved()
