"""Keras -> .tkz"""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.constants import read_constants
from trainkit.deploy.compress.keeper import check_file
from trainkit.deploy.compress.result import Promise
from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tkz import describe_network, export_tkz
from trainkit.deploy.verify import verify_file
from trainkit.errors import ExportError
from trainkit.framework import tf
from trainkit.inference.tkz import read_tkz
from trainkit.models.layers import Impute

layers = tf.keras.layers
CONTEXT = ExportContext("a", None, lambda count: [], "0.1.0")


def on_grids(model, share=0.1):
    """The same model with sparse kernels of a few values, and everything else as a training may leave it."""
    draw = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) > 1:
            kept = draw.random(weight.shape) < share
            weight.assign(np.float32(0.0731) * (kept * draw.integers(-3, 4, weight.shape)).astype(np.float32))
        elif weight.dtype.is_floating:
            weight.assign(draw.random(weight.shape) + 0.5)
    return model


def chain(shape, *body, dtype=None):
    inputs = x = tf.keras.Input(shape, name="input", dtype=dtype)
    for layer in body:
        x = layer(x)
    return tf.keras.Model(inputs, x, name="chain")


def residual():
    inputs = tf.keras.Input((16, 16, 3))
    x = layers.BatchNormalization()(layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs))
    y = layers.DepthwiseConv2D(3, padding="same")(layers.ReLU(6.0)(x))
    x = layers.Add()([x, layers.BatchNormalization()(layers.Conv2D(16, 1)(y))])
    return tf.keras.Model(inputs, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def transformer():
    inputs = tf.keras.Input((None,), dtype="int32")
    x = layers.Embedding(50, 16)(inputs)
    x = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 8)(x, x)]))
    return tf.keras.Model(inputs, layers.Dense(3)(layers.GlobalMaxPooling1D()(x)))


def two_ends():
    left, right = tf.keras.Input((6,), name="left"), tf.keras.Input((6,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    both = layers.Concatenate()([shared(left), shared(right)])
    return tf.keras.Model([left, right], [layers.Dense(2, name="one")(both), layers.Dense(1, name="other")(both)])


def normalized():
    normalize, impute = layers.Normalization(), Impute()
    for layer in (normalize, impute):
        layer.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)).astype(np.float32))
    return chain((4,), impute, normalize, layers.Dense(3, trainable=False))


MODELS = {
    "residual": residual,
    "transformer": transformer,
    "two ends": two_ends,
    "normalized": normalized,
    "recurrent": lambda: chain((None, 5), layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.LSTM(3)),
    "convolutions": lambda: chain((20, 4), layers.Conv1D(4, 3), layers.SeparableConv1D(4, 3), layers.Flatten()),
    "transposed": lambda: chain((8, 8, 2), layers.Conv2DTranspose(3, 3, strides=2), layers.Dense(4)),
    "sequential": lambda: tf.keras.Sequential([layers.Flatten(input_shape=(4, 4, 1)), layers.Dense(3)]),
    "half": lambda: chain((8,), layers.Dense(4, dtype="mixed_float16"), layers.Dense(3, dtype="float64")),
    "model inside": lambda: chain((8, 8, 3), residual_inside(), layers.Dense(2)),
}


def residual_inside():
    inputs = tf.keras.Input((8, 8, 3), name="inner")
    x = layers.Conv2D(3, 3, padding="same")(inputs)
    return tf.keras.Model(inputs, layers.Add()([x, inputs]), name="inside")


def samples_of(model):
    draw = np.random.default_rng(1)
    shapes = [[3, *(size or 7 for size in tensor.shape[1:])] for tensor in model.inputs]
    return [
        draw.integers(0, 9, shape).astype(tensor.dtype.name) for shape, tensor in zip(shapes, model.inputs, strict=True)
    ]


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_comes_back_bit_for_bit(name, tmp_path):
    model = on_grids(MODELS[name]()) if name != "normalized" else MODELS[name]()
    again = read_tkz(export_tkz(model, tmp_path / "a.tkz", context=CONTEXT))
    pairs = list(zip(model.weights, again.weights, strict=True))
    assert pairs
    assert all((one + 0).numpy().tobytes() == other.numpy().tobytes() for one, other in pairs)
    assert all(one.dtype == other.dtype for one, other in pairs)
    assert describe_network(again) == describe_network(model)
    assert (again.input_names, again.output_names) == (model.input_names, model.output_names)
    samples = samples_of(model)
    for one, other in zip(*(tf.nest.flatten(either(samples)) for either in (model, again)), strict=True):
        assert np.array_equal(one, other)


def test_a_sparse_network_takes_few_bytes(tmp_path):
    model = chain(
        (28, 28, 1), layers.Flatten(), layers.Dense(300, activation="relu"), layers.Dense(100), layers.Dense(10)
    )
    filepath = export_tkz(on_grids(model, 0.01), tmp_path / "a.tkz", context=CONTEXT)
    assert filepath.stat().st_size < 5_500  # 2,300 values of 6 sizes at random places, and 410 biases of any value


def test_what_a_network_costs_besides_its_weights_is_little(tmp_path):
    model = chain(
        (28, 28, 1),
        layers.Rescaling(1 / 255, name="rescaling1"),
        layers.Flatten(name="flatten1"),
        layers.Dense(300, activation="relu", name="dense1"),
        layers.Dense(100, activation="relu", name="dense2"),
        layers.Dense(10, activation="softmax", name="digit"),
    )
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    assert export_tkz(model, tmp_path / "a.tkz", context=CONTEXT).stat().st_size < 200


def test_an_export_is_proved_like_every_other(bench, model, tmp_path):
    filepath = bench.export(model, tmp_path, "Tkz")
    report = verify_file(filepath, precision="float32", proof=bench.prove(model, tmp_path))
    assert report.parity.passed, report.parity.reason
    assert report.parity.largest_difference < 1e-5
    assert report.bytes == filepath.stat().st_size < 4 * model.count_params()


def test_the_keeper_reads_an_export(bench, model, tmp_path):
    filepath = bench.export(model, tmp_path, "Tkz")
    kernel = model.get_layer("digit").kernel.numpy()
    zeros = int((kernel == 0).sum())
    promises = [Promise("Prune", "digit", "kernel", "zeros", limit, kernel.size) for limit in (zeros, zeros + 1)]
    assert [kept.holds for kept in check_file(read_constants(filepath), promises)] == [True, False]


@pytest.mark.parametrize(
    ("layer", "dtype"),
    [(layers.StringLookup(vocabulary=["a", "b"], name="words"), "string"), (layers.Lambda(abs, name="words"), None)],
    ids=["table", "code"],
)
def test_what_is_more_than_weights_is_refused(layer, dtype, tmp_path):
    with pytest.raises(ExportError, match=r"a\.tkz cannot be written: .*words.* has a table or Python code"):
        export_tkz(chain((1,), layer, dtype=dtype), tmp_path / "a.tkz", context=CONTEXT)
    assert not (tmp_path / "a.tkz").exists()
