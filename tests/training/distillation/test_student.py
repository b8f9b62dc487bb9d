"""A training with a teacher: what is learned, logged, saved and gone on with."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.errors import RunError, TrainingError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.runs import Run, sha256_of
from trainkit.training import prepare
from trainkit.training.checkpointing import Checkpointer
from trainkit.training.diagnosis import find_non_finite

STEPS = [
    "training.epochs=null",
    "training.steps=2",
    "training.steps_per_epoch=2",
    "training.optimizer={SGD: {learning_rate: 0.5}}",
]
RATE = "training.optimizer={Adam: {learning_rate: 0.02}}"


def distill(run, *, temperature=2, weight=0.8):
    return f"training.distill={{teacher: {run.directory}, temperature: {temperature}, weight: {weight}}}"


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


@pytest.fixture
def fit(table_config, tmp_path):
    def train(*overrides, **options):
        console = Console(file=io.StringIO(), width=200)
        run = trainkit.fit(table_config, overrides, runs=tmp_path, console=console, **options)
        return run, console.file.getvalue()

    return train


def rows(run):
    with run.history.open() as file:
        return list(csv.DictReader(file))


def weights_of(run):
    return tf.keras.models.load_model(run.model, compile=False).get_weights()


def by_hand(config, teacher, *, temperature, weight, rate):
    """Two steps of softmax regression with a teacher, in NumPy; the loss of each target and sample weights besides."""
    prepared = prepare(config)
    kernel, bias = (array.astype(float) for array in prepared.model.get_weights())
    model = KerasPredictor(teacher.model).model
    logits = tf.keras.Model(model.inputs, model.layers[-2].output)
    *_, (last_kernel, last_bias) = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    batches = prepared.batches(config.experiment.seed).dataset(0).take(2).as_numpy_iterator()
    for inputs, targets, weights in batches:
        x, wanted = inputs["input"].astype(float), np.eye(3)[targets["answer"]]
        counts = weights["answer"][:, np.newaxis] if weights else 1.0
        theirs = logits(inputs["input"]).numpy() @ last_kernel + last_bias
        own = x @ kernel + bias
        hard = softmax(own) - wanted
        soft = temperature * (softmax(own / temperature) - softmax(theirs / temperature))
        gradient = counts * ((1 - weight) * hard + weight * soft) / len(x)
        kernel, bias = kernel - rate * x.T @ gradient, bias - rate * gradient.sum(axis=0)
    return kernel, bias


def test_a_callback_saves_a_plain_model(fit, teacher, tmp_path):
    filepath = tmp_path / "kept.keras"
    saving = f"training.callbacks=[{{ModelCheckpoint: {{filepath: {filepath}}}}}]"
    run, _ = fit(*STEPS, distill(teacher), saving)
    kept = tf.keras.models.load_model(filepath, compile=False)
    assert type(kept).__name__ == "Functional"
    for found, expected in zip(kept.get_weights(), weights_of(run), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "more",
    [
        [],
        ["data.class_weight=balanced"],
        ["data.sample_weight=weight"],
        ["training.graph=eager"],
        ["training.execution={data: stream}"],
        pytest.param(["training.execution={jit_compile: true, steps_per_execution: 2}"], marks=pytest.mark.slow),
    ],
    ids=["plain", "class weights", "sample weights", "eager", "stream", "XLA"],
)
def test_steps_are_those_of_a_loop_by_hand(fit, table_config, teacher, more):
    how = {"temperature": 3, "weight": 0.7}
    overrides = [*STEPS, distill(teacher, **how), *more]
    run, _ = fit(*overrides)
    kernel, bias = by_hand(load_config(table_config, overrides), teacher, **how, rate=0.5)
    found = weights_of(run)
    np.testing.assert_allclose(found[0], kernel, atol=1e-6)
    np.testing.assert_allclose(found[1], bias, atol=1e-6)


def test_a_weight_of_0_is_a_training_without_a_teacher(fit, teacher):
    alone, taught = (weights_of(fit(*STEPS, *more)[0]) for more in ([], [distill(teacher, weight=0)]))
    for one, other in zip(alone, taught, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_student_comes_nearer_to_its_teacher(fit, teacher):
    run, said = fit(RATE, "training.epochs=8", distill(teacher, weight=1))
    history = [float(row["val_distillation"]) for row in rows(run)]
    assert history[-1] < 0.5 * history[0]
    assert f"teacher: {teacher.directory}, temperature 2, weight 1" in said
    assert run.read_manifest()["teacher"] == {"run": str(teacher.directory), "sha256": sha256_of(teacher.model)}


def test_logs_are_those_of_the_targets_and_the_distillation_is_the_divergence(fit, teacher):
    run, _ = fit("training.metrics=[SparseCategoricalAccuracy]", distill(teacher))  # at a rate of 0
    (row,) = rows(run)
    split = load_data(load_config(run.resolved)).validation
    inputs, targets, _ = next(iter(split.ordered(split.size).as_numpy_iterator()))
    own = KerasPredictor(run.model).predict(inputs)["answer"].astype(float)
    theirs = KerasPredictor(teacher.model).predict(inputs)["kind"].astype(float)
    soft = [one**0.5 / (one**0.5).sum(axis=-1, keepdims=True) for one in (theirs, own)]
    expected = 4 * (soft[0] * np.log(soft[0] / soft[1])).sum(axis=-1).mean()
    assert float(row["val_distillation"]) == pytest.approx(expected, rel=1e-3)
    assert float(row["val_loss"]) == pytest.approx(
        -np.log(own[np.arange(len(own)), targets["answer"]]).mean(), rel=1e-4
    )
    assert json.loads(run.metrics.read_text())["validation"]["metrics"]["loss"] == pytest.approx(float(row["val_loss"]))


def test_the_teacher_is_no_part_of_the_student(taught, teacher):
    prepared, before = taught(), KerasPredictor(teacher.model).model.get_weights()
    model = prepared.model
    assert [layer.name for layer in model.layers] == ["input", "answer"]
    assert len(model.variables) == 2
    inputs, targets, _ = prepared.splits.train.first(32)
    model.train_on_batch(inputs, targets)
    for one, other in zip(before, prepared.teacher.model.get_weights(), strict=True):  # statistics, too
        np.testing.assert_array_equal(one, other)


def test_regularization_counts_whole(prepared, taught):
    regularized = "model.layers.answer.kernel_regularizer={L2: {l2: 1.0}}"
    model = taught(regularized, "training.distill.weight=1").model
    inputs, targets, _ = prepared().splits.train.first(8)
    loss = model.compute_loss(inputs, targets, model(inputs, training=False))
    kernel = model.get_layer("answer").kernel.numpy()
    plain = taught("training.distill.weight=1").model
    plain.set_weights(model.get_weights())
    without = plain.compute_loss(inputs, targets, plain(inputs, training=False))
    assert float(loss - without) == pytest.approx(float((kernel**2).sum()), rel=1e-5)


def test_a_training_that_was_killed_goes_on_bit_for_bit(fit, teacher, monkeypatch):
    overrides = [RATE, "training.epochs=3", "training.determinism=strict", distill(teacher)]
    whole, _ = fit(*overrides, "name=whole")

    def killed(self, logs):
        if self.state.position.epoch == 2:
            raise SystemError("killed")
        after_epoch(self, logs)

    after_epoch = Checkpointer.after_epoch
    with monkeypatch.context() as patch:
        patch.setattr(Checkpointer, "after_epoch", killed)
        with pytest.raises(TrainingError, match="killed"):
            fit(*overrides, "training.checkpoints={every_epochs: 1}", "name=broken")
    broken = Run(whole.directory.parents[1] / "broken/001")
    trainkit.fit(resume=broken.directory, console=Console(file=io.StringIO()))
    for one, other in zip(weights_of(whole), weights_of(broken), strict=True):
        np.testing.assert_array_equal(one, other)
    assert [row["distillation"] for row in rows(whole)] == [row["distillation"] for row in rows(broken)]


def test_a_training_with_another_model_of_its_teacher_is_another_one(fit, teach_table):
    teacher = teach_table()
    run, _ = fit(distill(teacher))
    manifest = run.read_manifest()
    run.manifest.write_text(json.dumps(manifest | {"teacher": manifest["teacher"] | {"sha256": "0" * 64}}))
    with pytest.raises(RunError, match=r"training\.distill\.teacher: was the model of .*, is another one"):
        trainkit.fit(resume=run.directory, overrides=["training.epochs=2"])


def test_distillation_can_choose_the_best_epoch(fit, teacher):
    run, _ = fit(RATE, "training.epochs=2", distill(teacher), "training.best={monitor: val_distillation, mode: min}")
    assert json.loads(run.metrics.read_text())["best"]["monitor"] == "val_distillation"


def test_profile_counts_steps_with_a_teacher(fit, teacher):
    run, said = fit(distill(teacher), profile=True)
    assert json.loads(run.profile.read_text())["parts"]["train step"]["seconds"] > 0
    assert "where the time of" in said


def test_numbers_of_a_teacher_that_are_not_finite_are_found(taught):
    prepared = taught()
    layer = prepared.teacher.model.layers[-1]
    layer.bias.assign(layer.bias * np.nan)
    found = find_non_finite(prepared.model, prepared.splits.train.first(8))
    assert (found.where, found.name) == ("loss", "distillation")


def test_a_student_learns_in_16_bits(fit, teacher):
    run, _ = fit(RATE, "training.epochs=3", "training.precision=mixed_bfloat16", distill(teacher))
    values = [float(row["distillation"]) for row in rows(run)]
    assert values[-1] < values[0]


def test_each_output_learns_that_of_its_name(two_config, two_run, tmp_path):
    taught = f"training.distill={{teacher: {two_run.directory}, weight: 1}}"
    overrides = [taught, "model.layers.trunk.units=16"]
    run = trainkit.fit(two_config, overrides, runs=tmp_path, console=Console(file=io.StringIO()))
    split = load_data(load_config(run.resolved)).validation
    inputs, _, _ = next(iter(split.ordered(split.size).as_numpy_iterator()))
    own, theirs = (KerasPredictor(one.model).predict(inputs) for one in (run, two_run))
    assert np.abs(own["size"] - theirs["size"]).mean() < 0.5 * np.abs(theirs["size"]).mean()
    assert (own["kind"].argmax(axis=1) == theirs["kind"].argmax(axis=1)).mean() > 0.8
    values = [float(row["val_distillation"]) for row in rows(run)]
    soft = [one**0.5 / (one**0.5).sum(axis=-1, keepdims=True) for one in (theirs["kind"], own["kind"])]
    kind = 4 * (soft[0] * np.log(soft[0] / soft[1])).sum(axis=-1).mean()
    size = ((own["size"] - theirs["size"]) ** 2).mean()
    best = json.loads(run.metrics.read_text())["best"]["epoch"]
    assert values[best - 1] == pytest.approx(kind + 0.2 * size, rel=1e-3)
