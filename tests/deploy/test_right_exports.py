"""Right exports pass the gate: twenty and more networks, each as float32 and int8 .tflite and as .onnx."""

from __future__ import annotations

import pytest

from trainkit.deploy.verify import verify_file
from trainkit.framework import tf

layers = tf.keras.layers


def norm(x):
    """A batch normalization whose statistics settle within a short training."""
    return layers.BatchNormalization(momentum=0.8)(x)


def conv(x, filters, kernel_size=3, **arguments):
    return layers.Conv2D(filters, kernel_size, **{"padding": "same", "activation": "relu", **arguments})(x)


def dense(x):
    x = layers.Flatten()(x)
    return layers.Dense(32, activation="relu")(x)


def plain_conv(x):
    x = conv(x, 8, padding="valid")
    x = layers.MaxPooling2D()(x)
    return layers.Flatten()(x)


def conv_batch_norm(x):
    x = layers.Conv2D(8, 3, use_bias=False)(x)
    x = layers.ReLU()(norm(x))
    x = layers.MaxPooling2D()(x)
    return layers.Flatten()(x)


def depthwise(x):
    x = conv(x, 8, strides=2)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    return layers.Flatten()(x)


def depthwise_strided(x):
    x = conv(x, 8)
    x = layers.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="relu")(x)
    return layers.Flatten()(x)


def depthwise_upright(x):
    x = conv(x, 8)
    x = layers.DepthwiseConv2D((3, 1), padding="same", activation="relu")(x)
    return layers.Flatten()(x)


def separable(x):
    x = conv(x, 8, strides=2)
    x = layers.SeparableConv2D(16, 3, activation="relu")(x)
    return layers.Flatten()(x)


def residual(x):
    x = conv(x, 8, strides=2)
    x = layers.Add()([x, conv(conv(x, 8), 8, activation=None)])
    x = layers.ReLU()(x)
    return layers.Flatten()(x)


def dense_connections(x):
    x = conv(x, 6, strides=2)
    x = layers.Concatenate()([x, conv(x, 6)])
    return layers.Flatten()(x)


def global_pooling(x):
    x = conv(x, 16, strides=2)
    x = conv(x, 24, padding="valid")
    return layers.GlobalAveragePooling2D()(x)


def global_max_pooling(x):
    x = conv(x, 16, strides=2)
    x = conv(x, 24, padding="valid")
    return layers.GlobalMaxPooling2D()(x)


def dilated(x):
    x = conv(x, 8, dilation_rate=2)
    x = layers.AveragePooling2D()(x)
    return layers.Flatten()(x)


def leaky(x):
    x = conv(x, 8, strides=2, activation=None)
    x = layers.LeakyReLU(0.1)(x)
    return layers.Flatten()(x)


def swish(x):
    x = conv(x, 8, strides=2, activation="swish")
    x = layers.Flatten()(x)
    return layers.Dense(24, activation="gelu")(x)


def squeeze_and_excite(x):
    x = conv(x, 12, strides=2)
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    excited = conv(conv(squeezed, 4, 1), 12, 1, activation="sigmoid")
    x = layers.Multiply()([x, excited])
    return layers.Flatten()(x)


def transposed(x):
    x = conv(x, 8, strides=2)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.AveragePooling2D()(x)
    return layers.Flatten()(x)


def up_sampling(x):
    down = conv(x, 6, strides=2)
    up = layers.UpSampling2D()(down)
    x = layers.Concatenate()([conv(x, 2), up])
    x = layers.MaxPooling2D()(x)
    return layers.Flatten()(x)


def dropout(x):
    x = conv(x, 8, strides=2)
    x = layers.SpatialDropout2D(0.1)(x)
    x = layers.Flatten()(x)
    return layers.Dropout(0.1)(x)


def zero_padding(x):
    x = layers.ZeroPadding2D(1)(x)
    x = conv(x, 8, padding="valid", strides=2)
    x = layers.Cropping2D(1)(x)
    return layers.Flatten()(x)


def tanh(x):
    x = conv(x, 8, strides=2, activation="tanh")
    x = layers.Flatten()(x)
    return layers.Dense(24, activation="sigmoid")(x)


def parametric(x):
    x = conv(x, 8, strides=2, activation=None)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    return layers.Flatten()(x)


def mobile_block(x):
    x = layers.ReLU(6.0)(norm(conv(x, 8, strides=2, activation=None, use_bias=False)))
    y = layers.ReLU(6.0)(norm(conv(x, 16, 1, activation=None, use_bias=False)))
    y = layers.ReLU(6.0)(norm(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)))
    y = norm(conv(y, 8, 1, activation=None, use_bias=False))
    return layers.Flatten()(layers.Add()([x, y]))


def one_dimension(x):
    x = layers.Reshape((14, 14))(x)
    x = layers.Conv1D(16, 3, activation="relu")(x)
    x = layers.MaxPooling1D()(x)
    return layers.Flatten()(x)


BODIES = [
    dense,
    plain_conv,
    conv_batch_norm,
    depthwise,
    depthwise_strided,
    depthwise_upright,
    separable,
    residual,
    dense_connections,
    global_pooling,
    global_max_pooling,
    dilated,
    leaky,
    swish,
    squeeze_and_excite,
    transposed,
    up_sampling,
    dropout,
    zero_padding,
    tanh,
    parametric,
    mobile_block,
    one_dimension,
]

HEADS = {
    "softmax": {"units": 10, "activation": "softmax"},
    "logits": {"units": 10, "activation": None},
    "sigmoid": {"units": 1, "activation": "sigmoid"},
}


def train(bench, body, head):
    """A trained network of one body and one head."""
    tf.keras.utils.set_random_seed(1)
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = body(layers.Rescaling(1 / 255)(inputs))
    model = tf.keras.Model(inputs, layers.Dense(name="digit", **HEADS[head])(x))
    if head == "sigmoid":
        return bench.train(model, labels=bench.labels % 2, loss="binary_crossentropy")
    return bench.train(model, loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=head == "logits"))


PLAIN = (("TFLite", {}), ("TFLite", {"precision": "int8"}), ("ONNX", {}))


def assert_passes(bench, model, folder, exports=PLAIN):
    proof = bench.prove(model, folder)
    for exporter, arguments in exports:
        filepath = bench.export(model, folder, exporter, **arguments)
        report = verify_file(filepath, precision=arguments.get("precision", "float32"), proof=proof)
        assert report.parity.passed, f"{filepath.name}: {report.parity.reason}"


def test_there_are_twenty_networks():
    assert len({body.__name__ for body in BODIES}) >= 20


SLOW = {
    conv_batch_norm,
    depthwise,
    residual,
    transposed,
    swish,
    depthwise_upright,
    dense_connections,
    global_max_pooling,
    dilated,
    leaky,
    zero_padding,
    tanh,
    parametric,
    one_dimension,
    up_sampling,
}
"""Bodies whose like the fast tests have, too: `mobile_block` is a convolution, a depthwise one and an addition, with
norms."""


@pytest.mark.parametrize(
    "body",
    [pytest.param(body, id=body.__name__, marks=[pytest.mark.slow] * (body in SLOW)) for body in BODIES],
)
def test_right_export_passes(body, bench, tmp_path):
    assert_passes(bench, train(bench, body, "softmax"), tmp_path)


@pytest.mark.parametrize("head", ["logits", "sigmoid"])
def test_right_export_passes_with_head(head, bench, tmp_path):
    assert_passes(bench, train(bench, plain_conv, head), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("body", [pytest.param(body, id=body.__name__) for body in BODIES if body is not parametric])
def test_right_export_of_16_bit_activations_passes(body, bench, tmp_path):
    assert_passes(bench, train(bench, body, "softmax"), tmp_path, [("TFLite", {"precision": "int16x8"})])
