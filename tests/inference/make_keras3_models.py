"""Write models of Keras 3, in a process where `tf.keras` is not tf_keras: `python make_keras3_models.py FOLDER NAME…`.

Each becomes `NAME.keras`, and some `NAME.h5` too; `NAME.npz` holds inputs and the answers of Keras 3 to them, and the
folders `NAME.keras.read` and `NAME.h5.read` what the child of `read_keras3` brings back from the files.
"""

from __future__ import annotations

import json
import sys
import zipfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import numpy as np

from trainkit.inference import keras3_child

IN_H5 = {"functional", "nested", "sequential"}
WITHOUT_ANSWER = {"open_sequential", "subclass"}


def sequential(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((12, 12, 3), name="image"),
            layers.Rescaling(1 / 255, offset=-0.5),
            layers.RandomFlip(seed=5),
            layers.RandomRotation(0.1),
            layers.RandomContrast(0.1),
            layers.Conv2D(8, 3, padding="same", kernel_regularizer=keras.regularizers.L2(1e-3), use_bias=False),
            layers.BatchNormalization(epsilon=1e-2, momentum=0.9),
            layers.LeakyReLU(negative_slope=0.25),
            layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_constraint="non_neg", activation="silu"),
            layers.Conv2DTranspose(4, 3, strides=2, activation="gelu"),
            layers.SeparableConv2D(6, 3, strides=2, padding="same"),
            layers.ReLU(max_value=4.0, negative_slope=0.1, threshold=0.2),
            layers.GroupNormalization(3),
            layers.PReLU(shared_axes=[1, 2]),
            layers.ZeroPadding2D(((1, 0), (0, 1))),
            layers.UpSampling2D(2, interpolation="bilinear"),
            layers.Cropping2D(1),
            layers.AveragePooling2D(2, padding="same"),
            layers.SpatialDropout2D(0.2, seed=2),
            layers.Flatten(),
            layers.Dropout(0.5, seed=4),
            layers.Dense(7, activation="softmax", name="digit"),
        ]
    )


def functional(keras):
    """Several inputs and outputs, a shared layer, all merges."""
    layers = keras.layers
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    shared = layers.Dense(5, activation="tanh", name="shared")
    a, b = shared(left), shared(right)
    merged = [layers.Add()([a, b]), layers.Subtract()([a, b]), layers.Multiply()([a, b, a]), layers.Average()([a, b])]
    merged += [layers.Maximum()([a, b]), layers.Minimum()([a, b]), layers.Dot(axes=1, normalize=True)([a, b])]
    both = layers.LayerNormalization(epsilon=1e-2)(layers.Concatenate()(merged))
    share = layers.Dense(1, activation="sigmoid", name="share", dtype="float32")(both)
    return keras.Model([left, right], [layers.Dense(4, name="total")(both), share], name="pair")


def dictionaries(keras):
    """Inputs and outputs by name, in an order that is not the alphabet's."""
    inputs = {"wide": keras.Input((3,), name="wide"), "deep": keras.Input((2,), name="deep")}
    both = keras.layers.Concatenate()([inputs["wide"], inputs["deep"]])
    return keras.Model(inputs, {"z": keras.layers.Dense(2, name="z")(both), "a": keras.layers.Dense(3, name="a")(both)})


def nested(keras):
    """A model called twice, with models inside it, whose layers have the same names as others."""
    layers = keras.layers
    block = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(4, 3, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
        ],
        name="block",
    )
    inner = keras.Input((8, 8, 4))
    tower = keras.Model(inner, layers.Add(name="add")([inner, block(block(inner))]), name="tower")
    inputs = keras.Input((8, 8, 3), name="image")
    x = layers.Conv2D(4, 1, name="conv")(inputs)
    x = tower(tower(x, training=False), training=False)
    head = keras.Sequential(
        [keras.Input((8, 8, 4)), layers.GlobalAveragePooling2D(), layers.Dense(3, name="dense")], name="digit"
    )
    return keras.Model(inputs, [head(x), layers.Dense(2, name="dense")(layers.Flatten()(x))])


def shared_output(keras):
    """A model inside whose answers are two outputs."""
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)], name="inner")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    return keras.Model([left, right], [inner(left), keras.layers.Dense(2, name="last")(inner(right)), inner(right)])


def attention(keras):
    layers = keras.layers
    query, value = keras.Input((5, 8), name="query"), keras.Input((None, 8), name="value")
    mask = keras.Input((5, None), dtype="bool", name="mask")
    x = layers.MultiHeadAttention(2, 4)(query=query, value=value, key=value, attention_mask=mask)
    x = x + layers.MultiHeadAttention(2, 3, value_dim=5, use_bias=False)(x, x, use_causal_mask=True)
    x, scores = layers.MultiHeadAttention(1, 4)(x, value, return_attention_scores=True)
    pooled = layers.GlobalMaxPooling1D()(x)
    x = layers.Attention(use_scale=True)([x, value])
    x = layers.AdditiveAttention()([x, value])
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d", activation="elu")(x)
    return keras.Model([query, value, mask], [layers.UnitNormalization(name="x")(x), pooled, scores])


def recurrent(keras):
    layers = keras.layers
    tokens = keras.Input((10,), name="tokens")  # float32, as Keras 3 has it where nothing is said
    x = layers.Embedding(50, 6, mask_zero=True)(tokens)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    x = layers.TimeDistributed(layers.Dense(5, activation="relu"))(x)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True, dropout=0.1))(layers.Dropout(0.1)(x))
    x = layers.GRU(3, return_sequences=True, go_backwards=True)(x)
    x = layers.GRU(3, reset_after=False, return_sequences=True)(x)
    x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True)(x)
    x = layers.SimpleRNN(4, zero_output_for_mask=True, return_sequences=True)(x)
    return keras.Model(tokens, layers.LSTM(3, name="last")(x))


def states(keras):
    """A mask from Masking, one that is passed on by hand, and states."""
    layers = keras.layers
    inputs, mask = keras.Input((6, 3), name="series"), keras.Input((6,), dtype="bool", name="mask")
    x = layers.LSTM(4, return_sequences=True)(layers.Masking(0.0)(inputs))
    _, *state = layers.LSTM(4, return_state=True)(inputs)
    y = layers.LSTM(4, return_sequences=True)(inputs, initial_state=state)
    frames = layers.Reshape((6, 3, 1, 1))(inputs)
    z = layers.ConvLSTM2D(2, (2, 1), padding="same", name="frames")(frames)
    return keras.Model([inputs, mask], [x, y, layers.GRU(4, name="by_hand")(inputs, mask=mask), z])


def mixed(keras):
    """Convolutions and pools of other ranks, adapted and given statistics."""
    layers = keras.layers
    series = keras.Input((16, 3), name="series")
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(2).normal(5, 3, (50, 16, 3)).astype(np.float32))
    x = layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 0.25])(adapted(series))
    x = layers.Conv1D(4, 3, dilation_rate=2, padding="causal", groups=1)(x)
    x = layers.SeparableConv1D(4, 3, depth_multiplier=2)(x)
    x = layers.Conv1DTranspose(4, 3, strides=2)(layers.DepthwiseConv1D(3)(x))
    x = layers.MaxPooling1D(2)(layers.BatchNormalization(scale=False, trainable=False)(x))
    x = layers.Reshape((4, -1, 1, 1))(layers.Permute((2, 1))(x))
    x = layers.Conv3D(2, (2, 2, 1), padding="same", activation="mish")(x)
    x = layers.GlobalAveragePooling3D()(x)
    x = layers.RepeatVector(3)(layers.ELU(0.5)(x))
    x = layers.Dense(4)(layers.ActivityRegularization(l1=1e-3)(x))
    x = layers.Softmax(axis=-1)(layers.GaussianNoise(0.1)(x))
    axes = layers.Normalization(axis=(1, 2), mean=np.arange(12.0).reshape(3, 4), variance=np.ones((3, 4)))(x)
    return keras.Model(series, layers.Flatten(name="last")(layers.AlphaDropout(0.1)(layers.Identity()(axes))))


def arithmetic(keras):
    """Operators and functions in place of layers."""
    ops, layers = keras.ops, keras.layers
    inputs = keras.Input((6, 6, 3), name="image")
    x = inputs / 255.0 - 0.5
    x = -(2.0 - x) * 3.0 + 1.0
    y = layers.Conv2D(3, 3, padding="same", activation="hard_silu")(x)
    x = ops.maximum(x * y, ops.relu(y - x)) + np.float32(0.25)
    x = ops.concatenate([x, ops.sigmoid(y), keras.activations.relu6(y), ops.hard_sigmoid(x)], axis=-1)
    x = layers.Conv2D(4, 1, activation="leaky_relu")(keras.activations.relu(x, max_value=5.0))
    gate = layers.Dense(4, activation="hard_sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    return keras.Model(inputs, layers.Dense(3, activation="relu6", name="digit")(layers.Flatten()(x * gate)))


def bytes_in(keras):
    """Whole numbers go in, and a size that is open."""
    layers = keras.layers
    inputs = keras.Input((None, None, 3), dtype="uint8", name="image")
    x = layers.Conv2D(4, 9, strides=4)(layers.Resizing(40, 40)(layers.Rescaling(1 / 127.5, -1.0)(inputs)))
    x = layers.CenterCrop(6, 6)(x)
    return keras.Model(inputs, layers.GlobalMaxPooling2D(name="largest")(x))


def one_sample(keras):
    inputs = keras.Input(batch_shape=(1, 4), name="one")
    return keras.Model(inputs, keras.layers.Dense(3, name="digit")(inputs))


def half(keras):
    inputs = keras.Input((4,), name="input")
    x = keras.layers.Dense(8, dtype="mixed_float16", activation="relu")(inputs)
    x = keras.layers.Dense(8, dtype="mixed_bfloat16")(-x * 3 + x)
    return keras.Model(inputs, keras.layers.Dense(3, name="digit", dtype="float32")(x))


def dull(keras):
    """All weights are zero."""
    inputs = keras.Input((4,), name="input")
    return keras.Model(inputs, keras.layers.Dense(3, kernel_initializer="zeros", name="digit")(inputs))


def mobilenet_v2(keras):
    return keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=10, alpha=0.35)


def mobilenet_v3(keras):
    return keras.applications.MobileNetV3Small(weights=None, input_shape=(96, 96, 3), classes=10)


def efficientnet(keras):
    return keras.applications.EfficientNetB0(weights=None, input_shape=(96, 96, 3), classes=10)


def lacking(keras):
    """Five layers that tf_keras cannot stand in for, one of them inside another model, and two that it can."""
    layers = keras.layers
    inputs = keras.Input((6, 6, 4), name="image")
    inner = keras.Sequential([keras.Input((6, 6, 4)), layers.RMSNormalization(name="rms"), layers.Dense(4)])
    x = layers.Resizing(4, 4, pad_to_aspect_ratio=True, name="resize")(layers.Dense(4)(inner(inputs)))
    x = layers.Dense(4, activation="hard_tanh", name="act")(x)
    x = layers.SpectralNormalization(layers.Dense(4), name="spectral")(x)
    return keras.Model(inputs, keras.ops.mean(x, axis=[1, 2]))


def constant(keras):
    inputs = keras.Input((4,), name="input")
    return keras.Model(inputs, keras.layers.Dense(2, name="digit")(inputs * np.arange(4, dtype="float32")))


def hard_gates(keras):
    inputs = keras.Input((5, 4), name="input")
    return keras.Model(inputs, keras.layers.LSTM(2, recurrent_activation="hard_sigmoid", name="gates")(inputs))


def custom(keras):
    """Code that is not in the file, a Lambda, and a class that tf_keras lacks."""

    class Twice(keras.layers.Layer):
        def call(self, x):
            return x * 2

    inputs = keras.Input((4,), name="input")
    x = keras.layers.Lambda(lambda x: x + 1, name="plus")(Twice(name="twice")(inputs))
    return keras.Model(inputs, keras.layers.RMSNormalization(name="rms")(keras.layers.Dense(2)(x)))


def subclass(keras):
    class Network(keras.Model):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    model = Network()
    model(np.zeros((1, 4), np.float32))
    return model


def masked_state(keras):
    """Keras 3 does not pass the mask on to a layer that is given a state, tf_keras does."""
    inputs = keras.Input((6, 3), name="series")
    x, state = keras.layers.GRU(4, return_sequences=True, return_state=True)(keras.layers.Masking()(inputs))
    return keras.Model(inputs, keras.layers.GRU(4, name="last")(x, initial_state=state))


def in_frames(keras):
    """A model as an argument of a layer."""
    inputs = keras.Input((5, 4), name="series")
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    return keras.Model(inputs, keras.layers.TimeDistributed(inner, name="frames")(inputs))


def ranks(keras):
    """A sum that lines the axes up from the last one."""
    image, row = keras.Input(batch_shape=(4, 4, 3), name="image"), keras.Input(batch_shape=(4, 3), name="row")
    return keras.Model([image, row], image + row)


def open_sequential(keras):
    return keras.Sequential([keras.layers.Dense(2)])


def shake(keras, model):
    """Give what starts as zeros or ones other values: a mistake in their order would not show."""
    generator = np.random.default_rng(7)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name in ("gamma", "scale"):
            weight.assign(generator.uniform(0.5, 1.5, shape))
        elif weight.name in ("beta", "bias", "alpha"):
            weight.assign(generator.normal(0, 0.3, shape))
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:  # statistics of a batch, so that the signal does not fade
        norm.momentum, norm.before = 0.0, norm.momentum
    if norms:
        answer(keras, model, [draw(generator, tensor) for tensor in model.inputs], training=True)
    for norm in norms:
        norm.momentum = norm.before
        for weight in norm.weights[-2:]:
            weight.assign(weight * generator.uniform(0.8, 1.2, weight.shape) + 0.01)


def draw(generator, tensor):
    shape = (tensor.shape[0] or 4, *(20 if size is None else size for size in tensor.shape[1:]))
    if tensor.name == "tokens":
        return (generator.integers(0, 50, shape) * (generator.random(shape) < 0.8)).astype(tensor.dtype)
    if tensor.dtype in ("bool", "uint8"):
        return generator.integers(0, 2 if tensor.dtype == "bool" else 256, shape).astype(tensor.dtype)
    if len(shape) == 4:  # images
        return generator.uniform(0, 255, shape).astype(tensor.dtype)
    steps = generator.random((*shape[:2], *[1] * (len(shape) - 2))) < 0.8  # the others are for Masking
    return (generator.normal(size=shape) * (steps if len(shape) == 3 else 1)).astype(tensor.dtype)


def answer(keras, model, inputs, *, training):
    structure = getattr(model, "_functional", model)._inputs_struct
    return keras.tree.flatten(model(keras.tree.pack_sequence_as(structure, inputs), training=training))


def main(folder, names):
    keras = import_module("keras")
    for name in names:
        keras.utils.set_random_seed(3)
        keras.backend.clear_session()
        model = globals()[name](keras)
        if name != "dull":
            shake(keras, model)
        files = [folder / f"{name}.keras", *([folder / f"{name}.h5"] if name in IN_H5 else [])]
        for file in files:
            model.save(file)
            hand_over(file)
        if name == "nested":
            hand_over(damage(files[0]))
        if name not in WITHOUT_ANSWER:
            generator = np.random.default_rng(11)
            inputs = [draw(generator, tensor) for tensor in model.inputs]
            answers = [np.asarray(array) for array in answer(keras, model, inputs, training=False)]
            np.savez(folder / f"{name}.npz", *inputs, *answers)


def damage(file):
    """A copy with weights that break off."""
    filepath = file.with_name("damaged.keras")
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(filepath, "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, whole.read(name)[: 2000 if name == "model.weights.h5" else None])
    return filepath


def hand_over(file):
    """Do here what the child of `read_keras3` does, in a folder of its own: starting a child takes seconds."""
    folder = file.with_name(f"{file.name}.read")
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps({"file": str(file), "timeout": 60}))
    with suppress(SystemExit):
        keras3_child.main(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
