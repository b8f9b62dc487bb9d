"""Random layers that draw by (seed, step): the same again at the same step, something else at any other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.training.random_streams import key_random_layers

L = tf.keras.layers
CHILD = Path(__file__).with_name("random_streams_child.py")
VECTOR, SEQUENCE, IMAGE = (64,), (5, 8), (6, 6, 3)

LAYERS = {
    "Dropout": (VECTOR, lambda: L.Dropout(0.5)),
    "seed": (VECTOR, lambda: L.Dropout(0.5, seed=3)),
    "AlphaDropout": (VECTOR, lambda: L.AlphaDropout(0.5)),
    "GaussianNoise": (VECTOR, lambda: L.GaussianNoise(0.5)),
    "LSTM": (SEQUENCE, lambda: L.LSTM(4, dropout=0.5, recurrent_dropout=0.5)),
    "Bidirectional": (SEQUENCE, lambda: L.Bidirectional(L.GRU(4, dropout=0.5))),
    "TimeDistributed": (SEQUENCE, lambda: L.TimeDistributed(L.Dropout(0.5))),
    "RandomFlip": (IMAGE, lambda: L.RandomFlip()),
    "RandomCrop": (IMAGE, lambda: L.RandomCrop(3, 3)),
    "RandomContrast": (IMAGE, lambda: L.RandomContrast(0.5)),
}


def make(*layers, shape=VECTOR, seed=7, step=None, batch_size=None):
    x = given = tf.keras.Input(shape, batch_size=batch_size)
    for layer in layers:
        x = layer(x)
    model = tf.keras.Model(given, x, name="net")
    step = tf.Variable(0, dtype=tf.int64) if step is None else step
    key_random_layers(model, seed=seed, step=step)
    return model, step


def ones(shape):
    return tf.reshape(tf.range(4 * np.prod(shape), dtype=tf.float32) / 100.0 + 1.0, [4, *shape])


@pytest.mark.parametrize("name", LAYERS)
def test_streams_follow_from_the_step_alone(name):
    shape, layer = LAYERS[name]
    model, step = make(layer(), shape=shape)
    call, again = (tf.function(lambda x: model(x, training=True)) for _ in range(2))
    drawn = []
    for at in range(4):
        step.assign(at)
        drawn.append(call(ones(shape)).numpy())
    assert len({one.tobytes() for one in drawn}) > 1
    step.assign(2)
    np.testing.assert_array_equal(call(ones(shape)), drawn[2])
    np.testing.assert_array_equal(again(ones(shape)), drawn[2])


def test_streams_differ_by_seed_layer_and_the_seed_of_a_layer():
    x = tf.ones([4, 64])
    masks = {}
    for seed in (7, 8):
        for name, given in (("a", None), ("b", None), ("a", 3), ("a", 4)):
            model, _ = make(L.Dropout(0.5, seed=given, name=name), seed=seed)
            masks[seed, name, given] = model(x, training=True).numpy().tobytes()
    assert len(set(masks.values())) == 8


def test_streams_of_layers_inside_others_do_not_depend_on_what_was_made_before():
    def masks():
        model, _ = make(L.TimeDistributed(L.Dropout(0.5), name="a"), shape=SEQUENCE)
        return model(tf.ones([4, *SEQUENCE]), training=True).numpy()

    before = masks()
    L.Dropout(0.5)  # the counter of names goes on
    np.testing.assert_array_equal(masks(), before)


def test_streams_go_on_within_a_step_and_begin_anew_with_the_next():
    shared = L.Dropout(0.5, name="shared")
    given = tf.keras.Input(VECTOR)
    model, step = tf.keras.Model(given, [shared(given), shared(given)]), tf.Variable(5, dtype=tf.int64)
    key_random_layers(model, seed=1, step=step)
    x = tf.ones([4, 64])
    in_graph = tf.function(lambda x: model(x, training=True))(x)
    eager = model(x, training=True)
    assert not np.array_equal(eager[0], eager[1])
    np.testing.assert_array_equal(eager[0], in_graph[0])
    np.testing.assert_array_equal(eager[1], in_graph[1])
    step.assign(6)
    model(x, training=True)
    step.assign(5)
    np.testing.assert_array_equal(model(x, training=True)[0], eager[0])


def test_streams_are_the_same_in_several_steps_a_call_and_one():
    layers = [L.Dropout(0.5), L.Reshape((8, 8)), L.LSTM(8, dropout=0.5, recurrent_dropout=0.5)]
    model, step = make(*layers)

    @tf.function
    def steps(x, count):
        drawn = tf.TensorArray(tf.float32, 0, dynamic_size=True)
        for index in tf.range(count):
            drawn = drawn.write(index, model(x, training=True))
            step.assign_add(1)
        return drawn.stack()

    x = tf.ones([4, 64])
    at_once = steps(x, 4)
    step.assign(0)
    one_by_one = [steps(x, 1)[0] for _ in range(4)]
    np.testing.assert_array_equal(at_once, one_by_one)
    assert len({one.numpy().tobytes() for one in one_by_one}) == 4


def test_streams_turn_with_the_loops_inside_a_layer():
    class Cell(L.Layer):
        state_size = output_size = 64

        def __init__(self):
            super().__init__()
            self.inner = L.Dropout(0.5)

        def call(self, x, states, training=None):
            return self.inner(x, training=training), states

    model, _ = make(L.RNN(Cell(), return_sequences=True), shape=(6, 64))
    drawn = tf.function(lambda x: model(x, training=True))(tf.ones([4, 6, 64])).numpy()
    assert len({drawn[:, at].tobytes() for at in range(6)}) == 6


def test_streams_keep_rate_and_mean_and_are_independent():
    """Within 5 standard errors; those of a share of 0.3 and a correlation of n numbers are sqrt(0.21/n), sqrt(1/n)."""
    size = 100_000
    first, second, noise = (make(layer, shape=(size,))[0] for layer in dropouts_and_noise())
    x = tf.ones([1, size])
    first, second, noise = (model(x, training=True).numpy().ravel() for model in (first, second, noise))
    assert (first == 0).mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / size))
    assert first.mean() == pytest.approx(1.0, abs=5 * np.sqrt(0.3 / 0.7 / size))
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.0, abs=5 / np.sqrt(size))
    assert noise.mean() == pytest.approx(1.0, abs=5 * 2 / np.sqrt(size))
    assert noise.std() == pytest.approx(2.0, rel=5 / np.sqrt(2 * size))


def dropouts_and_noise():
    return [L.Dropout(0.3, name="first"), L.Dropout(0.3, name="second"), L.GaussianNoise(2.0)]


def test_streams_of_steps_are_independent():
    size = 100_000
    model, step = make(L.Dropout(0.5), shape=(size,))
    drawn = []
    for at in (0, 1):
        step.assign(at)
        drawn.append(model(tf.ones([1, size]), training=True).numpy().ravel())
    assert np.corrcoef(*drawn)[0, 1] == pytest.approx(0.0, abs=5 / np.sqrt(size))


def test_streams_have_the_bounds_and_types_that_are_asked_for():
    model, _ = make(L.Dropout(0.5))
    generator = model.layers[-1]._random_generator
    numbers = generator.random_uniform([10_000], -2, 3, dtype=tf.int32).numpy()
    assert set(numbers) == {-2, -1, 0, 1, 2}
    numbers = generator.random_uniform([10_000], 2.0, 3.0, dtype=tf.float16).numpy()
    assert numbers.dtype == np.float16
    assert 2.0 <= numbers.min() < 2.01 < 2.99 < numbers.max() <= 3.0
    numbers = generator.truncated_normal([10_000], mean=1.0, stddev=2.0).numpy()
    assert -3.0 <= numbers.min() < -2.9
    assert 4.9 < numbers.max() <= 5.0


def test_streams_leave_what_is_saved_as_it_was(tmp_path):
    shape, layers = IMAGE, [L.RandomFlip(), L.Dropout(0.5), L.Flatten(), L.Dense(2)]
    given = x = tf.keras.Input(shape)
    for layer in layers:
        x = layer(x)
    model = tf.keras.Model(given, x)
    config, tracked = model.get_config(), tracked_names(model, tmp_path / "before")
    key_random_layers(model, seed=1, step=tf.Variable(0, dtype=tf.int64))
    assert model.get_config() == config
    assert tracked_names(model, tmp_path / "after") == tracked
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == config
    kinds = {type(layer) for layer in (*layers, *tf.keras.models.clone_model(model).layers)}
    assert kinds == {L.InputLayer, L.RandomFlip, L.Dropout, L.Flatten, L.Dense}
    answer = model(ones(shape), training=False)
    np.testing.assert_array_equal(loaded(ones(shape), training=False), answer)
    model.save(tmp_path / "saved", save_format="tf")
    again = tf.keras.models.load_model(tmp_path / "saved")
    np.testing.assert_allclose(again(ones(shape), training=False), answer, rtol=1e-5)


def tracked_names(model, filepath):
    return sorted(name for name, _ in tf.train.list_variables(tf.train.Checkpoint(model=model).write(str(filepath))))


@pytest.mark.slow  # trains 35 branches three times, in processes of their own: op determinism cannot be taken back
def test_a_resumed_training_is_the_same_bit_for_bit_with_every_kind_of_random_layer(tmp_path):
    found = {}
    for way, mode in (("stock", "graph"), ("keyed", "graph"), ("keyed", "xla")):
        command = [sys.executable, str(CHILD), way, mode, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found[way, mode] = json.loads(done.stdout)
    stock, keyed, compiled = found.values()
    assert len(keyed["same"]) == 35
    assert [name for name, same in keyed["same"].items() if not same] == []
    assert [name for name, same in compiled["same"].items() if not same] == []
    assert [name for name, same in stock["same"].items() if same] == []
    assert keyed["digest"] == compiled["digest"] != stock["digest"]  # two processes, one mask
