"""The steps of a config, as `deploy` runs them."""

from __future__ import annotations

import io
import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import trainkit
from trainkit.config import Node, NodeError
from trainkit.deploy.compress import CompressionResult, steps
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.kernels import kernels_of
from trainkit.deploy.compress.quantize import quantize
from trainkit.errors import ConfigError, PromiseError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.runs import Run
from trainkit.training.checkpointing import Checkpointer

STEPS = "deploy.compress=[Prune: {sparsity: 0.8, epochs: 1}, Cluster: {clusters: 8}, Quantize: {epochs: 1}]"
EXPORT = "deploy.export=[TFLite: {precision: float32}, TFLite: {precision: int8}]"


def deploy(run, *overrides):
    console = Console(file=io.StringIO(), width=120)
    return trainkit.deploy(run.directory, overrides, console=console), console.file.getvalue()


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """A run of its own, which these tests deploy."""
    return Run(shutil.copytree(tiny_run.directory, tmp_path_factory.mktemp("runs") / "001"))


@pytest.fixture(scope="module")
def deployed(run):
    return deploy(run, STEPS, EXPORT)


@pytest.fixture
def record(run, deployed):
    return json.loads((run.deploy / "compression.json").read_text())


def test_every_step_is_measured(record):
    assert [step["step"] for step in record["steps"]] == ["Train", "Prune", "Cluster", "Quantize"]
    train, prune, cluster, quantized = record["steps"]
    assert (train["zeros"], train["drop_points"]) == (0.0, 0.0)
    assert all(step["zeros"] == pytest.approx(0.8, abs=0.01) for step in (prune, cluster))
    assert quantized["zeros"] >= cluster["zeros"]
    assert prune["distinct"] > 8 >= cluster["distinct"] >= quantized["distinct"]
    assert train["gzip_bytes"] > prune["gzip_bytes"] > cluster["gzip_bytes"]
    assert train["bytes"] == prune["bytes"] == cluster["bytes"] > 2 * quantized["bytes"]
    for step in (prune, cluster, quantized):
        assert step["drop_points"] == pytest.approx(100 * (train["accuracy"] - step["accuracy"]))
        assert step["seconds"] > 0


def test_files_are_made_from_the_compressed_model_and_proved_against_it(deployed, run):
    deployment, told = deployed
    float32, int8 = deployment.files
    assert (float32.made_from, int8.made_from) == ("compressed.keras", "Quantize")
    assert all(file.parity.passed for file in deployment.files)
    assert all(kept.holds for file in deployment.files for kept in file.promises)
    assert {kept.promise.kind for kept in int8.promises} == {"zeros", "distinct values"}
    kernels = kernels_of(KerasPredictor(run.deploy / "compressed.keras").model)
    assert max(len(np.unique(kernel)) for kernel in kernels.values()) <= 8
    assert "Quantize (PCQAT)" in told


def test_drop_is_counted_from_the_model_that_was_trained(deployed):
    deployment, _ = deployed
    for file in deployment.files:
        assert file.drop_points == pytest.approx(100 * (deployment.proof.accuracy - file.accuracy))


def test_layers_are_reported_by_their_names(record):
    layers = {layer["layer"]: layer["status"] for layer in record["steps"][-1]["facts"]["layers"]}
    assert layers["conv2d1"] == layers["digit"] == "quantized"
    assert layers["batchnormalization1"] == "folded"
    assert layers["rescaling1"] == "calibrated"


def test_tensorboard_has_loss_and_zeros_by_step(run, deployed):
    events = EventAccumulator(str(run.tensorboard / "compress" / "1_Prune"), size_guidance={"tensors": 0})
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {"batch_loss", "zeros", "epoch_loss", "epoch_val_loss"} <= tags
    zeros = [float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("zeros")]
    assert zeros[0] < zeros[-1] == pytest.approx(0.8, abs=0.01)


def test_steps_that_were_finished_are_not_run_again(run, deployed):
    before = (run.deploy / "tiny_int8.tflite").read_bytes()
    deployment, told = deploy(run, STEPS, "deploy.export=[TFLite: {precision: int8}]")
    assert told.count("as before") == 3
    assert "epoch 1/1" not in told
    assert (run.deploy / "tiny_int8.tflite").read_bytes() == before
    assert deployment.compressed.steps[1].seconds > 0


def test_a_step_that_is_changed_is_run_again_with_those_after_it(run, deployed, monkeypatch):
    real, ran = steps.build_registered, []

    def note(node, *arguments, **keywords):
        ran.append(node.class_name)
        return real(node, *arguments, **keywords)

    monkeypatch.setattr(steps, "build_registered", note)
    changed = STEPS.replace("clusters: 8", "clusters: 6").replace(", Quantize: {epochs: 1}", "")
    _, told = deploy(run, changed, "deploy.export=[ONNX]")
    assert ran == ["Cluster"]
    assert told.count("as before") == 1


def test_deploy_that_is_stopped_in_its_second_step_goes_on_there(copy_of_run, monkeypatch):
    real, ran = steps.build_registered, []

    def stop_in_the_second(node, *arguments, **keywords):
        ran.append(node.class_name)
        if ran == ["Prune", "Cluster"]:
            raise KeyboardInterrupt
        return real(node, *arguments, **keywords)

    monkeypatch.setattr(steps, "build_registered", stop_in_the_second)
    changes = (STEPS.replace(", Quantize: {epochs: 1}", ""), "deploy.export=[ONNX]")
    console = Console(file=io.StringIO(), width=120)
    with pytest.raises(KeyboardInterrupt):
        trainkit.deploy(copy_of_run.directory, changes, console=console)
    assert console.file.getvalue().splitlines()[-2] == (
        "stopped in step 2 of 2; the next deploy goes on with its beginning"
    )
    assert not copy_of_run.deploy.exists()
    deployment, told = deploy(copy_of_run, *changes)
    assert ran == ["Prune", "Cluster", "Cluster"]
    assert "1/2: Prune, as before" in told
    assert all(file.parity.passed for file in deployment.files)


def stop_at(monkeypatch, *counts):
    """Stop after so many training steps, of the first deploy, the second, …"""
    real, done, left = Checkpointer.after_step, [], list(counts)

    def after_step(self, *, is_last):
        real(self, is_last=is_last)
        done.append(self.state.position.step)
        if left and len(done) == left[0]:
            done.clear()
            left.pop(0)
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpointer, "after_step", after_step)


@pytest.mark.slow
def test_deploy_that_is_stopped_in_the_middle_of_a_step_goes_on_there(tiny_run, copy_of_run, tmp_path, monkeypatch):
    whole = Run(shutil.copytree(tiny_run.directory, tmp_path / "whole"))
    changes = "deploy.compress=[Prune: {sparsity: 0.8}, Cluster: {clusters: 8, epochs: 2}]", "deploy.export=[ONNX]"
    deploy(whole, *changes)
    stop_at(monkeypatch, 20, 16 + 25)  # a step has two epochs of 16
    console = Console(file=io.StringIO(), width=120)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            trainkit.deploy(copy_of_run.directory, changes, console=console)
    said = "stopped in step {} of 2; the next deploy goes on in the middle of it, at training step 16"
    told = console.file.getvalue().splitlines()
    assert [line for line in told if line.startswith("stopped in")] == [said.format(1), said.format(2)]
    assert len(list(copy_of_run.compress.glob("checkpoints/2_Cluster-*/step_*"))) == 2
    _, told = deploy(copy_of_run, *changes)
    assert "compression 2/2: Cluster\ngoes on at training step 16 of 32\n" in told
    assert not (copy_of_run.compress / "checkpoints").exists()
    models = [KerasPredictor(one.deploy / "compressed.keras").model for one in (copy_of_run, whole)]
    for found, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for name in ("1_Prune", "2_Cluster"):
        assert scalars(copy_of_run, name) == pytest.approx(scalars(whole, name), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "step",
    ["DynamicNetworkSurgery: {sparsity: 0.8, gamma: 0.1, epochs: 4}", "Prune: {sparsity: auto, rounds: 4, epochs: 1}"],
    ids=["surgery", "budget"],
)
def test_pruning_that_is_stopped_goes_on_with_its_zeros(tiny_run, copy_of_run, tmp_path, monkeypatch, step):
    whole = Run(shutil.copytree(tiny_run.directory, tmp_path / "whole"))
    changes = f"deploy.compress=[{step}]", "deploy.export=[ONNX]"
    expected, _ = deploy(whole, *changes)
    real, done = Checkpointer.after_step, []

    def stop_after_23(self, *, is_last):
        real(self, is_last=is_last)
        done.append(self.state.position.step)
        if len(done) == 23:  # an epoch has 16
            self.save()
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpointer, "after_step", stop_after_23)
    with pytest.raises(KeyboardInterrupt):
        deploy(copy_of_run, *changes)
    found, told = deploy(copy_of_run, *changes)
    assert "goes on at training step 23 of 64" in told
    assert repr(found.compressed.steps[1].facts) == repr(expected.compressed.steps[1].facts)
    models = [KerasPredictor(one.deploy / "compressed.keras").model for one in (copy_of_run, whole)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def scalars(run, name):
    """The losses of an event file, by step."""
    events = EventAccumulator(str(run.tensorboard / "compress" / name), size_guidance={"tensors": 0}).Reload()
    return {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors("batch_loss")}


def test_checkpoints_of_another_step_are_not_gone_on_from(copy_of_run, monkeypatch):
    stop_at(monkeypatch, 20)
    with pytest.raises(KeyboardInterrupt):
        deploy(copy_of_run, "deploy.compress=[Prune: {sparsity: 0.8}]", "deploy.export=[ONNX]")
    (before,) = (copy_of_run.compress / "checkpoints").iterdir()
    monkeypatch.setattr(steps, "build_registered", lambda *arguments, **keywords: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deploy(copy_of_run, "deploy.compress=[Prune: {sparsity: 0.7}]", "deploy.export=[ONNX]")
    assert not before.exists()


def test_a_rate_of_its_own_is_another_step(run, deployed):
    changes = STEPS.replace(", Cluster: {clusters: 8}, Quantize: {epochs: 1}", ""), "deploy.export=[ONNX]"
    _, told = deploy(run, *changes, "deploy.fine_tune.learning_rate=1e-3")
    assert "as before" not in told


def test_quantization_goes_with_onnx_alone(run, deployed):
    deployment, _ = deploy(run, STEPS, "deploy.export=[ONNX: {precision: int8}]")
    (file,) = deployment.files
    assert file.parity.passed
    assert file.made_from == "Quantize"
    assert {kept.promise.kind for kept in file.promises} == {"zeros", "distinct values"}
    assert all(kept.holds for kept in file.promises)


def test_quantization_that_loses_what_was_promised_ends_the_deploy(run, deployed, monkeypatch):
    """Plain training with rounding, which does not know of promises."""

    def forgetful(model, *, epochs, context):
        return quantize(model, epochs=epochs, context=replace(context, promises=()))

    monkeypatch.setattr(steps, "COMPRESSORS", steps.COMPRESSORS.copy())
    monkeypatch.setitem(steps.COMPRESSORS._entries, "Quantize", forgetful)
    changed = STEPS.replace("Quantize: {epochs: 1}", "Quantize: {epochs: 2}")
    told = r"Quantize does not keep what was promised:\n  Prune, kernel of layer "
    with pytest.raises(PromiseError, match=told) as error:
        deploy(run, changed, EXPORT)
    assert error.value.exit_code == 3
    assert "Cluster, kernel of layer 'digit': distinct values expected: at most 8" in str(error.value)


def test_file_that_has_lost_its_zeros_is_rejected_though_it_answers_rightly(run, deployed, monkeypatch):
    """An exporter that adds next to nothing to each weight: no answer changes."""
    from trainkit.deploy.export import EXPORTERS

    def careless(model, filepath, **arguments):
        model = copy_model(model)
        for variable in model.trainable_variables:
            variable.assign(variable + 1e-9)
        return EXPORTERS.get("TFLite")(model, filepath, **arguments)

    broken = EXPORTERS.copy()
    broken._entries["TFLite"] = careless
    monkeypatch.setattr(sys.modules["trainkit.deploy.production"], "EXPORTERS", broken)
    told = r"tiny_float32\.tflite: Prune, kernel of layer 'conv2d1': zeros expected: at least \d+ of 54, found: 0\."
    with pytest.raises(PromiseError, match=told) as error:
        deploy(run, STEPS.replace(", Quantize: {epochs: 1}", ""), "deploy.export=[TFLite]")
    assert error.value.exit_code == 3
    assert (run.deploy / "rejected/tiny_float32.tflite").is_file()
    (file,) = json.loads((run.deploy / "verify.json").read_text())["files"]
    assert not file["parity"]["passed"]
    assert file["parity"]["largest_difference"] < 1e-5


def test_a_pattern_that_fits_no_layer_is_found_before_anything_is_trained(run, monkeypatch):
    monkeypatch.setattr(steps, "build_registered", None)
    changes = "deploy.compress=[Prune: {epochs: 1}, Cluster: {layers: {dens*: 4}}]"
    with pytest.raises(ConfigError, match=r"deploy.compress.*`layers` must fit a layer with a kernel\. .*digit"):
        deploy(run, changes)


def test_prune_filters_may_name_layers_that_have_filters_and_no_kernel_of_their_own():
    inputs = tf.keras.Input((14, 4))
    x = tf.keras.layers.SeparableConv1D(8, 3, name="separable")(inputs)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, name="digit")(x))
    steps.check_patterns([Node("compressor", "PruneFilters", {"layers": {"separable": 0.3}})], model)
    with pytest.raises(NodeError, match="`layers` must fit a layer with a kernel"):
        steps.check_patterns([Node("compressor", "Prune", {"layers": {"separable": 0.3}})], model)


def test_model_of_the_run_is_left_as_it_was(run, tiny_run, deployed):
    assert run.model.read_bytes() == tiny_run.model.read_bytes()


def test_a_step_can_measure_models_on_validation_samples(copy_of_run, monkeypatch):
    found = []

    def look(model, *, epochs, context):
        found.extend(context.measure(model, samples=count) for count in (None, 50, 50))
        return CompressionResult(model)

    monkeypatch.setattr(steps, "COMPRESSORS", steps.COMPRESSORS.copy())
    monkeypatch.setitem(steps.COMPRESSORS._entries, "Prune", look)
    deployment, _ = deploy(copy_of_run, "deploy.compress=[Prune: {epochs: 1}]", "deploy.export=[ONNX]")
    before, _ = deployment.compressed.steps
    assert found[0] == (before.loss, before.accuracy)
    assert found[1] == found[2] != found[0]
