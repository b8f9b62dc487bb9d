"""Structured pruning, as a step."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

import trainkit
from trainkit.deploy.compress.filters import latency
from trainkit.deploy.compress.keeper import check_model
from trainkit.deploy.compress.prune_filters import prune_filters
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.inference.keras import KerasPredictor
from trainkit.models.costs import layer_costs
from trainkit.runs import Run
from trainkit.training.checkpointing import Checkpointer

layers = tf.keras.layers


@pytest.fixture(scope="module")
def network(bench):
    """A trained residual network with batch normalization: three layers of 8 filters are tied, one of 12 is free."""
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, use_bias=False, name="stem")(x)))
    y = layers.Conv2D(12, 3, padding="same", use_bias=False, name="inner")(x)
    y = layers.ReLU()(layers.BatchNormalization(name="inner_norm")(y))
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False, name="outer")(y))
    x = layers.Flatten()(layers.ReLU()(layers.Add()([x, y])))
    return bench.train(tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x)), epochs=2)


def filters_of(model):
    return {layer.name: layer.filters for layer in model.layers if isinstance(layer, layers.Conv2D)}


def macs_of(model):
    return sum(cost.macs.fixed for cost in layer_costs(model))


@pytest.fixture(scope="module")
def untrained(context_with):
    """A context that leaves weights and statistics as they are."""
    return replace(context_with(), fine_tune=lambda model, *, epochs, callbacks: None)


@pytest.fixture(scope="module")
def halved(network, context_with):
    return prune_filters(network, remove=0.5, of="macs", rounds=2, epochs=2, context=context_with())


def test_prune_filters_gives_a_smaller_plain_model(network, halved):
    assert [(layer.name, type(layer)) for layer in halved.model.layers] == [
        (layer.name, type(layer)) for layer in network.layers
    ]
    assert macs_of(halved.model) <= 0.5 * macs_of(network)
    found = filters_of(halved.model)
    assert found["stem"] == found["outer"]
    assert halved.model.output_shape == network.output_shape


def test_prune_filters_leaves_its_input_as_it_was(network, context_with):
    before = network.get_weights()
    prune_filters(network, epochs=1, context=context_with())
    assert all(np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))


def test_prune_filters_tells_what_each_layer_had_and_has(network, halved):
    found = filters_of(halved.model)
    before = filters_of(network)
    lost = [name for name in before if found[name] < before[name]]
    assert lost
    assert halved.facts["filters"] == {name: [before[name], found[name]] for name in lost}
    assert halved.facts["macs"] == [macs_of(network), macs_of(halved.model)]
    assert halved.facts["parameters"] == [network.count_params(), halved.model.count_params()]
    json.dumps(halved.facts)


def test_prune_filters_promises_the_filters_of_each_layer(network, halved):
    found = {promise.layer: (promise.kind, promise.limit) for promise in halved.promises}
    before, after = filters_of(network), filters_of(halved.model)
    assert found == {name: ("filters", count) for name, count in after.items() if count < before[name]}
    assert all(kept.holds for kept in check_model(halved.model, halved.promises))
    other = [kept for kept in check_model(network, halved.promises) if not kept.holds]
    assert [kept.found for kept in other] == [None] * len(halved.promises)


def test_prune_filters_trains_what_is_left(bench, network, context_with):
    trained, alone = (
        prune_filters(network, remove=0.6, epochs=2, context=context_with(rate=rate)).model for rate in (3e-3, 0.0)
    )
    images, labels = bench.test["input"].astype(np.float32), bench.test_labels
    accuracy = [np.mean(one.predict(images, verbose=0).argmax(1) == labels) for one in (trained, alone)]
    assert accuracy[0] > accuracy[1] + 0.02


@pytest.mark.parametrize("of", ["filters", "macs", "parameters"])
def test_prune_filters_removes_no_more_than_it_has_to(network, untrained, of):
    """One filter more would be the most that is too much."""
    facts = prune_filters(network, remove=0.3, of=of, epochs=1, context=untrained).facts
    if of == "filters":  # of 28: stem, inner and outer
        gone = sum(before - after for before, after in facts["filters"].values())
        assert 0.3 <= gone / 28 < 0.3 + 2 / 28
    else:
        before, after = facts[of]
        assert 0.3 <= 1 - after / before < 0.45


def test_prune_filters_removes_those_with_the_smallest_weights(network, untrained):
    model = tf.keras.models.clone_model(network)
    model.set_weights(network.get_weights())
    kernel = model.get_layer("inner").kernel
    kernel.assign(kernel.numpy() * np.where(np.arange(12) % 3 == 1, 1e-3, 1.0))
    options = {"remove": 0.0, "layers": {"inner": 4 / 12}, "epochs": 1, "context": untrained}
    for criterion in ("l1", "l2"):
        found = prune_filters(model, criterion=criterion, **options).model.get_layer("inner").kernel.numpy()
        assert np.array_equal(found, np.delete(kernel.numpy(), [1, 4, 7, 10], axis=3))


def test_prune_filters_removes_those_that_batch_normalization_makes_small(network, untrained):
    model = tf.keras.models.clone_model(network)
    model.set_weights(network.get_weights())
    model.get_layer("inner_norm").gamma.assign(np.where(np.arange(12) < 4, 1e-3, 1.0))
    options = {"remove": 0.0, "layers": {"inner": 4 / 12}, "epochs": 1, "context": untrained}
    found = prune_filters(model, criterion="batch_norm", **options).model.get_layer("inner").kernel.numpy()
    assert np.array_equal(found, model.get_layer("inner").kernel.numpy()[..., 4:])


def test_prune_filters_removes_those_that_the_loss_does_not_need(network, untrained):
    """Where what they give is not used, their gradient is 0, however large their weights are."""
    model = tf.keras.models.clone_model(network)
    model.set_weights(network.get_weights())
    unused = np.arange(12) < 4
    taker, maker = model.get_layer("outer").kernel, model.get_layer("inner").kernel
    taker.assign(taker.numpy() * ~unused[:, None])
    maker.assign(maker.numpy() * np.where(unused, 10.0, 1.0))
    options = {"remove": 0.0, "layers": {"inner": 4 / 12}, "epochs": 1, "context": untrained}
    found = prune_filters(model, criterion="taylor", **options)
    assert np.array_equal(found.model.get_layer("inner").kernel.numpy(), maker.numpy()[..., 4:])
    given = np.random.default_rng(0).uniform(0, 255, (5, 14, 14, 1)).astype(np.float32)
    assert np.allclose(found.model.predict(given, verbose=0), model.predict(given, verbose=0), atol=1e-5)


def test_prune_filters_gives_layers_shares_of_their_own(network, untrained):
    result = prune_filters(network, remove=0.7, layers={"inner": 0.25, "outer": 0.0}, epochs=1, context=untrained)
    assert filters_of(result.model) == {"stem": 8, "inner": 9, "outer": 8}


def test_prune_filters_gives_shares_to_layers_that_have_no_kernel_to_prune(untrained):
    signal = tf.keras.Input((14, 14), name="signal")
    x = tf.keras.layers.Conv1DTranspose(8, 3, name="up")(signal)
    x = tf.keras.layers.SeparableConv1D(6, 3, name="apart")(x)
    model = tf.keras.Model(signal, tf.keras.layers.Dense(2, name="out")(tf.keras.layers.GlobalMaxPooling1D()(x)))
    result = prune_filters(model, remove=0.0, layers={"up": 0.5, "apart": 0.5}, epochs=1, context=untrained)
    assert [result.model.get_layer(name).output_shape[-1] for name in ("up", "apart")] == [4, 3]


def test_prune_filters_comes_to_the_same_shares_in_rounds(network, untrained):
    result = prune_filters(network, remove=0.0, layers={"inner": 0.5}, rounds=3, epochs=3, context=untrained)
    assert filters_of(result.model) == {"stem": 8, "inner": 6, "outer": 8}


def test_prune_filters_trains_after_each_round(network, context_with):
    context, seen = context_with(), []
    counting = replace(context, fine_tune=lambda model, *, epochs, callbacks: seen.append((macs_of(model), epochs)))
    prune_filters(network, remove=0.6, of="macs", rounds=3, epochs=7, context=counting)
    assert [epochs for _, epochs in seen] == [1, 2, 4]
    assert [macs / macs_of(network) for macs, _ in seen] == pytest.approx([0.8, 0.6, 0.4], abs=0.1)


def test_prune_filters_measures_the_time_of_candidates(network, untrained, monkeypatch):
    times = []

    def ratio(before, after, *, precision, context):
        times.append(precision)
        return macs_of(after) / macs_of(before)

    monkeypatch.setattr("trainkit.deploy.compress.filters.latency.latency_ratio", ratio)
    result = prune_filters(network, remove=0.4, of="int8_latency", epochs=1, context=untrained)
    assert macs_of(result.model) <= 0.6 * macs_of(network)
    assert 1 < len(times) < 8
    assert set(times) == {"int8"}


@pytest.mark.parametrize("rounds", [5, 9])
def test_prune_filters_needs_an_epoch_for_each_round(network, context_with, rounds):
    with pytest.raises(InputError, match=rf"`epochs` must be at least `rounds`: {rounds}\. Received: epochs=4"):
        prune_filters(network, rounds=rounds, context=context_with())


def test_prune_filters_refuses_what_cannot_be_reached_before_it_trains(network, context_with):
    context = replace(context_with(), fine_tune=None)
    with pytest.raises(InputError, match=r"`remove` must be at most 0\.\d+ of the parameters.*Received: remove=0.999"):
        prune_filters(network, remove=0.999, of="parameters", context=context)


def test_the_most_that_prune_filters_tells_of_can_be_reached(network, context_with):
    with pytest.raises(InputError, match="at most") as error:
        prune_filters(network, remove=0.999, of="macs", context=context_with())
    most = float(re.search(r"at most (\S+)", str(error.value))[1])
    result = prune_filters(network, remove=most, of="macs", epochs=1, context=context_with())
    assert all(after == 1 for _, after in result.facts["filters"].values())


def test_prune_filters_refuses_a_time_that_cannot_be_reached(network, context_with, monkeypatch):
    """With one filter a layer what is left is mostly that a runtime is called at all."""
    monkeypatch.setattr(latency, "latency_ratio", lambda *_, **__: 0.75)
    context = replace(context_with(), fine_tune=None)
    with pytest.raises(InputError, match=r"`remove` must be at most 0\.25 of the latency.*Received: remove=0.5"):
        prune_filters(network, remove=0.5, of="latency", context=context)


def test_a_time_that_was_not_reached_once_is_measured_again(network, context_with, monkeypatch):
    """The machine was busy: what a later deploy is told is not what this one found."""
    notes, busy = {}, [True]

    def once(name, make):
        if name not in notes:
            notes[name] = make()
        return notes[name]

    def ratio(before, after, **_):
        return 1.02 if busy else after.count_params() / before.count_params()

    monkeypatch.setattr(latency, "latency_ratio", ratio)
    context = replace(context_with(), once=once)
    with pytest.raises(InputError, match=r"at most 0\.0 of the latency"):
        prune_filters(network, remove=0.5, of="latency", context=context)
    busy.clear()
    assert prune_filters(network, remove=0.5, of="latency", epochs=1, context=context).facts["filters"]


def test_prune_filters_refuses_to_do_nothing(model, context_with):
    with pytest.raises(InputError, match="PruneFilters must have filters to remove"):
        prune_filters(model, layers={"*": 0.0}, context=context_with())
    with pytest.raises(InputError, match="batch_norm is for networks with batch normalization"):
        prune_filters(model, criterion="batch_norm", context=context_with())


def test_prune_filters_refuses_a_pattern_that_fits_no_layer(model, context_with):
    with pytest.raises(InputError, match=r"`layers` must fit a layer with a kernel\. Received: 'dense\*'"):
        prune_filters(model, layers={"dense*": 0.5}, context=context_with())


def test_prune_filters_leaves_what_is_inside_of_attention_and_recurrent_layers(context_with):
    inputs = layers.Input((14, 14, 1), name="input")
    x = layers.Reshape((14, 14))(layers.Rescaling(1 / 255)(inputs))
    x = layers.Dense(8, name="embed")(x)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))
    y = layers.Dense(8, name="back")(layers.Dense(16, activation="gelu", name="wide")(x))
    x = layers.LSTM(6)(layers.LayerNormalization()(layers.Add()([x, y])))
    model = tf.keras.Model(inputs, layers.Dense(10, activation="softmax", name="digit")(x))
    result = prune_filters(model, remove=0.5, epochs=1, context=context_with())
    assert result.facts["filters"] == {"wide": [16, 8]}


STEPS = (
    "deploy.compress=[PruneFilters: {remove: 0.5, of: parameters, criterion: taylor, rounds: 2, epochs: 2}, "
    "Prune: {sparsity: 0.5, epochs: 1}, Cluster: {clusters: 8}, Quantize: {epochs: 1}]"
)
EXPORT = "deploy.export=[TFLite: {precision: float32}, TFLite: {precision: int8}, ONNX]"


def deploy(run, *overrides):
    console = Console(file=io.StringIO(), width=120)
    return trainkit.deploy(run.directory, overrides, console=console), console.file.getvalue()


def test_files_have_the_filters_that_were_promised(copy_of_run):
    deployment, told = deploy(copy_of_run, STEPS, EXPORT)
    assert len(deployment.files) == 3
    for file in deployment.files:
        assert file.parity.passed
        assert {kept.promise.kind for kept in file.promises} == {"filters", "zeros", "distinct values"}
        assert all(kept.holds for kept in file.promises)
    record = json.loads((copy_of_run.deploy / "compression.json").read_text())
    before, after = record["steps"][1]["facts"]["parameters"]
    assert after <= 0.5 * before
    assert f"{after:,} of {before:,} parameters are left" in " ".join(told.split())
    assert record["steps"][1]["bytes"] <= 0.5 * record["steps"][0]["bytes"]
    model = KerasPredictor(copy_of_run.deploy / "compressed.keras").model
    (filters,) = filters_of(model).values()
    assert record["steps"][1]["facts"]["filters"] == {"conv2d1": [6, filters]}
    config, runs = copy_of_run.deploy / "compressed.yaml", copy_of_run.directory / "more"
    again = trainkit.fit(config, ["training.epochs=1"], runs=runs)
    assert filters_of(KerasPredictor(again.model).model) == {"conv2d1": filters}


@pytest.mark.slow
@pytest.mark.parametrize("steps_done", [10, 26], ids=["in the first round", "in the second round"])
def test_deploy_that_is_stopped_in_a_round_goes_on_there(tiny_run, copy_of_run, tmp_path, monkeypatch, steps_done):
    """Rounds are of 16 steps; what was decided before is not decided again."""
    whole = Run(shutil.copytree(tiny_run.directory, tmp_path / "whole"))
    step = "PruneFilters: {remove: 0.5, of: parameters, criterion: taylor, rounds: 2, epochs: 2}"
    changes = f"deploy.compress=[{step}]", "deploy.export=[ONNX]"
    config = whole.resolved.read_text()
    for run in (whole, copy_of_run):
        run.resolved.write_text(config.replace("every_steps: null", "every_steps: 2"))
    deploy(whole, *changes)
    with monkeypatch.context() as patch:
        stop_after(patch, steps_done)
        console = Console(file=io.StringIO(), width=120)
        with pytest.raises(KeyboardInterrupt):
            trainkit.deploy(copy_of_run.directory, changes, console=console)
    told = f"stopped in step 1 of 1; the next deploy goes on in the middle of it, at training step {steps_done}"
    assert told in console.file.getvalue()
    deploy(copy_of_run, *changes)
    models = [KerasPredictor(one.deploy / "compressed.keras").model for one in (copy_of_run, whole)]
    assert filters_of(models[0]) == filters_of(models[1])
    for found, expected in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def stop_after(monkeypatch, count):
    """Stop after so many training steps of all trainings together."""
    real, done = Checkpointer.after_step, []

    def after_step(self, *, is_last):
        real(self, is_last=is_last)
        done.append(self.state.position.step)
        new = [step for step, before in zip(done, [0, *done], strict=False) if step < before]
        if self.state.position.step + 16 * len(new) == count:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpointer, "after_step", after_step)


def test_prune_filters_takes_those_that_save_much_for_what_they_are_worth(context_with):
    """Alike in worth, a filter of the convolution saves hundreds of times what a unit of the dense layer does."""
    image = tf.keras.Input((14, 14, 1))
    x = tf.keras.layers.Conv2D(8, 3, name="conv")(image)
    x = tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D(12)(x))
    x = tf.keras.layers.Dense(32, name="dense")(x)
    model = tf.keras.Model(image, tf.keras.layers.Dense(10, activation="softmax", name="digit")(x))
    result = prune_filters(model, remove=0.5, of="macs", epochs=1, context=context_with())
    assert result.model.get_layer("conv").filters < 8
    assert result.model.get_layer("dense").units == 32
