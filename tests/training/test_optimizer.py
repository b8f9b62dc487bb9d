"""Optimizers that update from several batches, and at a rate of its own for each weight."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.optimizer import extend

keras = tf.keras
X = np.random.default_rng(0).normal(size=(24, 5)).astype("float32")
Y = np.random.default_rng(1).normal(size=(24, 1)).astype("float32")
OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "clipped": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.05),
    "decayed": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
    "scheduled": lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
    "averaged": lambda: keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5),
}
EVERY = pytest.mark.parametrize("name", OPTIMIZERS)


def make(optimizer, *, jit_compile=False, **extended):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.layers.Dense(4, "tanh", name="hidden"), keras.layers.Dense(1, name="answer")],
    )
    model.build((None, 5))
    model.compile(extend(optimizer, **extended), "mse", jit_compile=jit_compile)
    return model


def train(model, *, batch_size, epochs=3, samples=24):
    data = tf.data.Dataset.from_tensor_slices((X[:samples], Y[:samples])).batch(batch_size)
    model.fit(data, epochs=epochs, shuffle=False, verbose=0)
    return model.get_weights()


def assert_close(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@EVERY
def test_several_batches_are_one_large_one(name):
    whole = make(OPTIMIZERS[name]())
    parts = make(OPTIMIZERS[name](), gradient_accumulation_steps=3)
    assert_close(train(parts, batch_size=4), train(whole, batch_size=12))
    assert parts.optimizer.iterations == whole.optimizer.iterations == 6
    assert float(parts.optimizer.learning_rate) == float(whole.optimizer.learning_rate)
    if parts.optimizer.use_ema:
        averages = [model.optimizer._model_variables_moving_average for model in (parts, whole)]
        assert_close(*([one.numpy() for one in average] for average in averages))


def test_several_batches_are_one_large_one_under_xla():
    whole = make(OPTIMIZERS["adam"]())
    parts = make(OPTIMIZERS["adam"](), gradient_accumulation_steps=3, jit_compile=True)
    assert_close(train(parts, batch_size=4), train(whole, batch_size=12))


def test_batches_of_two_epochs_make_an_update():
    parts = make(OPTIMIZERS["sgd"](), gradient_accumulation_steps=4)
    train(parts, batch_size=4, epochs=1)  # 6 batches
    assert (parts.optimizer.iterations, parts.optimizer._batches) == (1, 2)
    train(parts, batch_size=4, epochs=1)
    assert (parts.optimizer.iterations, parts.optimizer._batches) == (3, 0)


def test_sparse_gradients_add_up():
    models = []
    for steps, batch in ((2, 2), (1, 4)):
        keras.utils.set_random_seed(3)
        layers = [keras.layers.Embedding(5, 2), keras.layers.Flatten(), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input((1,), dtype="int64"), *layers])
        model.compile(extend(keras.optimizers.SGD(0.5), gradient_accumulation_steps=steps), "mse")
        ids = tf.data.Dataset.from_tensor_slices((np.array([[0], [1], [1], [4]]), np.arange(4.0)))
        model.fit(ids.batch(batch), verbose=0)
        models.append(model.get_weights())
    assert_close(*models)


def test_checkpoint_holds_what_has_been_accumulated(tmp_path):
    straight = make(OPTIMIZERS["adam"](), gradient_accumulation_steps=4)
    train(straight, batch_size=4, epochs=1)
    path = tf.train.Checkpoint(model=straight, optimizer=straight.optimizer).write(str(tmp_path / "last"))
    resumed = make(OPTIMIZERS["adam"](), gradient_accumulation_steps=4)
    resumed.optimizer.build(resumed.trainable_variables)
    tf.train.Checkpoint(model=resumed, optimizer=resumed.optimizer).read(path).assert_consumed()
    for one, other in zip(train(resumed, batch_size=4), train(straight, batch_size=4), strict=True):
        np.testing.assert_array_equal(one, other)


MULTIPLIERS = {"hidden/kernel:0": 0.1, "hidden/bias:0": 0.0, "answer/bias:0": 2.0}


def moved(optimizer, **extended):
    """How far each weight of a model moves in one step, by name."""
    model = make(optimizer, **extended)
    before = {variable.name: variable.numpy() for variable in model.trainable_variables}
    train(model, batch_size=24, epochs=1)
    return {variable.name: variable.numpy() - before[variable.name] for variable in model.trainable_variables}


@pytest.mark.parametrize("name", ["sgd", "adam", "decayed", "clipped"])
def test_multiplier_multiplies_how_far_a_weight_moves(name):
    plain, multiplied = moved(OPTIMIZERS[name]()), moved(OPTIMIZERS[name](), multipliers=MULTIPLIERS)
    for variable, step in plain.items():
        np.testing.assert_allclose(multiplied[variable], step * MULTIPLIERS.get(variable, 1), atol=2e-7)
        assert np.abs(step).max() > 0


@pytest.mark.parametrize("name", ["Adadelta", "Adagrad", "Adamax", "Ftrl", "Lion", "Nadam", "RMSprop", "Adafactor"])
def test_multiplier_of_0_leaves_a_weight_where_it_was(name):
    steps = moved(getattr(keras.optimizers, name)(0.1, weight_decay=0.01), multipliers={"hidden/kernel:0": 0.0})
    assert not steps.pop("hidden/kernel:0").any()
    assert all(np.isfinite(step).all() and step.any() for step in steps.values())


def test_weight_decay_is_multiplied_too():
    decay = {"weight_decay": 0.5, "learning_rate": 0.1}
    model = make(keras.optimizers.SGD(**decay), multipliers={"hidden/kernel:0": 0.1})
    before = model.get_weights()[0]
    model.optimizer.apply_gradients([(tf.zeros_like(one), one) for one in model.trainable_variables])
    np.testing.assert_allclose(model.get_weights()[0], before * (1 - 0.5 * 0.1 * 0.1), rtol=1e-6)


def test_rate_is_seen_and_set_as_it_is():
    model = make(keras.optimizers.SGD(0.1), multipliers=MULTIPLIERS)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=100.0)
    rates = []
    note = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: rates.append(float(model.optimizer.learning_rate)))
    model.fit(X, Y, epochs=4, callbacks=[plateau, note], verbose=0)
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_optimizer_comes_back_from_its_config_and_from_a_saved_model(tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    model = make(keras.optimizers.Adam(schedule), gradient_accumulation_steps=4, multipliers=MULTIPLIERS)
    train(model, batch_size=4, epochs=1)
    again = type(model.optimizer).from_config(model.optimizer.get_config())
    assert again.get_config() == model.optimizer.get_config()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert (loaded.optimizer.iterations, loaded.optimizer._batches) == (1, 2)
    assert_close(train(loaded, batch_size=4), train(model, batch_size=4))


def test_optimizer_with_nothing_to_add_is_keras_own():
    assert type(extend(keras.optimizers.SGD(), multipliers={})) is keras.optimizers.SGD
