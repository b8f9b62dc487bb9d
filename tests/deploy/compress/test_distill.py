"""Compression steps that learn from a teacher: a run, or the model before them."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.compress import steps
from trainkit.deploy.compress.distill import distill
from trainkit.deploy.compress.result import Promise
from trainkit.errors import ConfigError, InputError
from trainkit.inference.keras import KerasPredictor
from trainkit.runs import Run
from trainkit.training.distillation import Student
from trainkit.training.fine_tune import FineTuning

FLOAT = "deploy.export=[TFLite: {precision: float32}]"
SELF = "deploy.fine_tune.distill={teacher: self, temperature: 1, weight: 1}"


def deploy(run, *overrides):
    console = Console(file=io.StringIO(), width=120)
    return trainkit.deploy(run.directory, overrides, console=console), console.file.getvalue()


@pytest.fixture
def students(monkeypatch):
    """The teachers of what is trained, one a step; None where there is none."""
    found = []
    prepare = FineTuning._prepare

    def spy(self, *arguments):
        model = prepare(self, *arguments)
        found.append(model.lesson.teacher.name if isinstance(model, Student) else None)
        return model

    monkeypatch.setattr(FineTuning, "_prepare", spy)
    return found


def answers(run, model):
    split = load_data(load_config(run.resolved)).validation
    inputs, _, _ = next(iter(split.ordered(split.size).as_numpy_iterator()))
    return KerasPredictor(model).predict(inputs)["digit"].astype(float)


def divergence(theirs, own):
    theirs, own = np.maximum(theirs, 1e-12), np.maximum(own, 1e-12)
    return float((theirs * np.log(theirs / own)).sum(axis=-1).mean())


def test_steps_learn_from_the_model_before_them(copy_of_run, students):
    run, step = copy_of_run, "deploy.compress=[Prune: {sparsity: 0.6, schedule: constant, epochs: 5}]"
    rate, original, far = "deploy.fine_tune.learning_rate=3e-3", answers(run, run.model), []
    alone, _ = deploy(run, step, FLOAT, rate)
    far.append(divergence(original, answers(run, run.deploy / "compressed.keras")))
    taught, _ = deploy(run, step, FLOAT, rate, SELF)
    far.append(divergence(original, answers(run, run.deploy / "compressed.keras")))
    assert students == [None, "self"]
    assert far[1] < 0.8 * far[0]
    assert alone.files[0].parity.passed
    assert taught.files[0].parity.passed
    assert taught.compressed.steps[1].zeros == pytest.approx(0.6, abs=0.01)


def test_all_steps_keep_their_promises_with_a_teacher(copy_of_run, students):
    chain = "[Distill: {epochs: 1}, Prune: {sparsity: 0.8, epochs: 1}, Cluster: {clusters: 8}, Quantize: {epochs: 1}]"
    files = "deploy.export=[TFLite: {precision: int8}, ONNX]"
    deployment, _ = deploy(copy_of_run, f"deploy.compress={chain}", files, "deploy.fine_tune.distill=self")
    assert students == ["self"] * 4
    assert [step.step for step in deployment.compressed.steps] == ["Train", "Distill", "Prune", "Cluster", "Quantize"]
    assert all(file.parity.passed for file in deployment.files)
    assert all(kept.holds for file in deployment.files for kept in file.promises)


@pytest.fixture(scope="module")
def big(tiny_run, tmp_path_factory):
    """Another run of the same data, of a wider network."""
    config = tiny_run.directory.parents[2] / "tiny.yaml"
    layers = "model.layers=[Flatten, {Dense: {units: 32, activation: relu}}, {Dense: {units: 10}, name: logits}]"
    overrides = [layers, "training.loss={SparseCategoricalCrossentropy: {from_logits: true}}", "training.epochs=3"]
    return trainkit.fit(config, overrides, runs=tmp_path_factory.mktemp("big"), console=Console(file=io.StringIO()))


def test_a_step_learns_from_a_run_and_brings_the_model_nearer(copy_of_run, big, students):
    run = copy_of_run
    before = answers(run, run.model)
    step = f"deploy.compress=[Distill: {{teacher: {big.directory}, weight: 1.0, epochs: 4}}]"
    deploy(run, step, FLOAT, "deploy.fine_tune.learning_rate=1e-2")
    logits = KerasPredictor(big.model).predict(_inputs(run))["logits"].astype(float)
    theirs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    after = answers(run, run.deploy / "compressed.keras")
    assert students == [str(big.directory)]
    assert divergence(theirs, after) < 0.8 * divergence(theirs, before)


def _inputs(run):
    split = load_data(load_config(run.resolved)).validation
    return next(iter(split.ordered(split.size).as_numpy_iterator()))[0]


@pytest.mark.slow
def test_a_step_with_another_model_of_its_teacher_is_run_again(copy_of_run, big, tmp_path, students, monkeypatch):
    teacher = Run(shutil.copytree(big.directory, tmp_path / "big"))
    chain = [f"deploy.fine_tune.distill={teacher.directory}", "deploy.compress=[Prune: {epochs: 1}]", FLOAT]
    deploy(copy_of_run, *chain)
    _, told = deploy(copy_of_run, *chain)
    assert "as before" in told
    assert len(students) == 1
    model = KerasPredictor(teacher.model).model
    model.set_weights([weight * 1.01 for weight in model.get_weights()])
    model.save(teacher.model, save_format="keras")
    teacher.update_manifest(model_sha256=steps.sha256_of(teacher.model))
    _, told = deploy(copy_of_run, *chain)
    assert "as before" not in told
    assert len(students) == 2


@pytest.mark.parametrize("where", ["deploy.fine_tune.distill={}", "deploy.compress=[Distill: {{teacher: {}}}]"])
def test_a_teacher_that_cannot_teach_is_refused_before_anything_is_trained(where, copy_of_run, small_run, students):
    chain = [] if "compress" in where else ["deploy.compress=[Prune]"]
    with pytest.raises(ConfigError, match=r"`teacher` must take 'input' in the shape \(14, 14, 1\)") as error:
        deploy(copy_of_run, where.format(small_run.directory), *chain)
    assert error.value.exit_code == 2
    assert students == []


def test_distill_leaves_its_input_as_it_was(model, context_with):
    before = [weight.copy() for weight in model.get_weights()]

    def train(model, *, distill, **how):
        model.set_weights([weight + 1 for weight in model.get_weights()])
        assert (distill.teacher, distill.temperature, distill.weight) == ("self", 4, 0.5)

    result = distill(model, temperature=4, weight=0.5, context=replace(context_with(), fine_tune=train))
    assert all(np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True))
    assert all(np.array_equal(old + 1, new) for old, new in zip(before, result.model.get_weights(), strict=True))


def test_distill_refuses_to_break_a_promise(model, context_with):
    promise = Promise("Prune", "digit", "kernel", "zeros", 1, 10)
    with pytest.raises(InputError, match=r"Distill must not come after Prune, whose promise it would break\."):
        distill(model, context=context_with(promise))
