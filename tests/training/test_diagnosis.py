"""Where a NaN or Inf came from: batches and models with one fault each."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.diagnosis import find_non_finite, first_bad_step
from trainkit.training.random_streams import key_random_layers

L = tf.keras.layers


def make_model(*layers, loss="mean_squared_error", outputs=None, optimizer=None):
    x = given = tf.keras.Input([4], name="table")
    for layer in layers or (
        L.Dense(8, activation="relu", name="body.first"),
        L.BatchNormalization(name="body.norm"),
        L.Dropout(0.5, name="body.drop"),
        L.Dense(1, name="answer"),
    ):
        x = layer(x)
    model = tf.keras.Model(given, x if outputs is None else outputs(x), name="net")
    model.compile(optimizer or tf.keras.optimizers.Adam(0.01), loss=loss, metrics=["mae"])
    model.optimizer.build(model.trainable_variables)
    return model


def make_batch(**bad):
    random = np.random.default_rng(2)
    inputs, targets = random.normal(size=(6, 4)).astype("float32"), random.normal(size=(6, 1)).astype("float32")
    for place in bad.get("inputs", ()):
        inputs[place] = np.nan
    for place in bad.get("targets", ()):
        targets[place] = np.inf
    return {"table": inputs}, {"answer": targets}, {}


def test_diagnosis_finds_nothing_in_a_good_step():
    assert find_non_finite(make_model(), make_batch()) is None


def test_diagnosis_names_the_input_and_its_samples_though_the_loss_is_finite():
    model = make_model(L.Dense(8, activation="relu", name="body.first"), L.Dense(1, name="answer"))
    batch = make_batch(inputs=[(1, 2), (4, 0), (4, 1)])
    found = find_non_finite(model, batch)
    assert (found.where, found.name, found.kind, found.count, found.samples) == ("input", "table", "NaN", 3, (1, 4))
    assert str(found) == (
        "the input `table` has NaN (3 of 24 numbers) in samples 1, 4 of the batch: put Impute first in "
        "`model.preprocess`, set `missing: drop` in the source, or mend the data."
    )


def test_diagnosis_passes_over_missing_numbers_that_a_layer_fills():
    fill = L.Lambda(lambda x: tf.where(tf.math.is_nan(x), 0.0, x), name="fill")
    assert find_non_finite(make_model(fill, L.Dense(1, name="answer")), make_batch(inputs=[(1, 2)])) is None


def test_diagnosis_looks_past_filled_inputs_for_what_is_bad():
    layers = [L.Lambda(lambda x: tf.where(tf.math.is_nan(x), 0.0, x)), L.Lambda(tf.math.log, name="logs")]
    found = find_non_finite(make_model(*layers, L.Dense(1, name="answer")), make_batch(inputs=[(1, 2)]))
    assert (found.where, found.name, found.kind) == ("output", "logs", "NaN and Inf")


def test_diagnosis_names_a_target():
    found = find_non_finite(make_model(), make_batch(targets=[3]))
    assert (found.where, found.name, found.kind, found.samples) == ("target", "answer", "Inf", (3,))


def test_diagnosis_names_sample_weights():
    inputs, targets, _ = make_batch()
    weights = {"answer": np.array([1, 1, np.nan, 1, 1, 1], "float32")}
    found = find_non_finite(make_model(), (inputs, targets, weights))
    assert (found.where, found.name, found.samples) == ("sample weight", "answer", (2,))


def test_diagnosis_names_the_first_layer_and_its_samples():
    inputs, targets, _ = make_batch()
    inputs["table"] = np.abs(inputs["table"]) + 1
    inputs["table"][5] = -1
    layers = [L.Lambda(tf.math.log, name="body.logs"), L.Dense(3, name="body.more"), L.Dense(1, name="answer")]
    found = find_non_finite(make_model(*layers), (inputs, targets, {}))
    assert (found.where, found.name, found.count, found.samples) == ("output", "body.logs", 4, (5,))


def test_diagnosis_lets_a_mask_of_minus_infinity_be():
    masked = L.Lambda(lambda x: tf.concat([x, tf.fill([tf.shape(x)[0], 1], -np.inf)], -1), name="masked")
    assert find_non_finite(make_model(masked, L.Softmax(), L.Dense(1, name="answer")), make_batch()) is None


def test_diagnosis_names_the_output_whose_loss_is_infinite():
    def two(x):
        return [L.Dense(1, name="answer")(x), L.Dense(1, activation="sigmoid", name="size")(x)]

    losses = {"answer": "mean_squared_error", "size": lambda _, given: -tf.math.log(given - given)}
    model = make_model(L.Dense(3), loss=losses, outputs=two)
    inputs, targets, weights = make_batch()
    found = find_non_finite(model, (inputs, targets | {"size": targets["answer"]}, weights))
    assert (found.where, found.name, found.kind) == ("loss", "size", "Inf")
    assert str(found).startswith("the loss of `size` is Inf: ")
    assert "from_logits" in found.cure


def test_diagnosis_names_the_weight_whose_gradient_is_bad():
    @tf.custom_gradient
    def bad(x):
        return x, lambda gradient: gradient * np.inf

    found = find_non_finite(make_model(L.Dense(3, name="a"), L.Lambda(bad), L.Dense(1, name="answer")), make_batch())
    assert (found.where, found.name) == ("gradient", "a/kernel")
    assert "clipnorm" in str(found)


def test_diagnosis_names_a_weight_that_was_bad_before():
    model = make_model()
    kernel = model.get_layer("body.first").kernel
    kernel.assign(tf.tensor_scatter_nd_update(kernel, [[1, 2]], [np.inf]))
    found = find_non_finite(model, make_batch())
    assert (found.where, found.name, found.count, found.size) == ("weight", "body.first/kernel", 1, 32)


def test_diagnosis_names_a_slot_of_the_optimizer():
    model = make_model()
    slot = next(one for one in model.optimizer.variables if "v/answer/bias" in one.name)
    slot.assign([np.nan])
    found = find_non_finite(model, make_batch())
    assert found.where == "optimizer"
    assert "v/answer/bias" in found.name


def test_diagnosis_leaves_the_model_as_it_was():
    model, step = make_model(), tf.Variable(3, dtype=tf.int64)
    key_random_layers(model, seed=1, step=step)
    inputs, targets, _ = make_batch()
    model.test_on_batch(inputs, targets)
    variables = [
        *model.variables,
        *model.optimizer.variables,
        *(v for metric in model.metrics for v in metric.variables),
    ]
    before = [variable.numpy() for variable in variables]
    assert len(model.metrics) == 2
    find_non_finite(model, make_batch(inputs=[(0, 0)]))
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value, err_msg=variable.name)
    assert step.numpy() == 3


def test_diagnosis_draws_what_the_step_draws():
    """Half the masks divide 0 by 0: the diagnosis says the same as the step."""
    layers = [L.Dropout(0.5, name="drop"), L.Lambda(lambda x: x / tf.reduce_sum(tf.abs(x))), L.Dense(1, name="answer")]
    model, step = make_model(*layers), tf.Variable(0, dtype=tf.int64)
    key_random_layers(model, seed=1, step=step)
    batch = {"table": np.float32([[1, 0, 0, 0]])}, {"answer": np.float32([[1]])}, {}
    train = tf.function(lambda x: model(x, training=True))
    bad, found = [], []
    for at in range(8):
        step.assign(at)
        bad.append(not np.isfinite(train(batch[0])).all())
        found.append(find_non_finite(model, batch) is not None)
    assert found == bad
    assert 0 < sum(bad) < 8


@pytest.fixture
def model():
    return make_model()


def train_on(model):
    def train_one_step(batch):
        inputs, targets, _ = batch
        return model.train_on_batch(inputs, targets)

    return train_one_step


def test_first_bad_step_finds_the_step_and_the_sample(model):
    batches = [make_batch(), make_batch(), make_batch(inputs=[(5, 1)]), make_batch()]
    step, found = first_bad_step(model, batches, train_on(model), first_step=40)
    assert (step, found.where, found.samples) == (42, "input", (5,))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert model.optimizer.iterations.numpy() == 2


def test_first_bad_step_finds_nothing_in_good_batches(model):
    assert first_bad_step(model, [make_batch()] * 3, train_on(model)) is None


def test_first_bad_step_names_what_the_optimizer_makes_infinite():
    model = make_model(L.Dense(1, name="answer"), optimizer=tf.keras.optimizers.SGD(float(np.float32(3e38))))
    inputs, targets, _ = make_batch()
    batch = {"table": inputs["table"] * 100}, targets, {}
    step, found = first_bad_step(model, [batch], train_on(model))
    assert (step, found.where, found.name, found.kind) == (0, "update", "answer/kernel", "Inf")
