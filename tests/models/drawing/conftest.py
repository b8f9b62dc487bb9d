"""Networks of every form that is drawn: chains, residuals, skips, towers, meshes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from trainkit.framework import tf

L = tf.keras.layers


def lenet():
    """A chain."""
    x = image = tf.keras.Input((28, 28, 1), name="input")
    for number, filters in enumerate((20, 50), 1):
        x = L.Conv2D(filters, 5, activation="relu", name=f"conv2d{number}")(x)
        x = L.MaxPooling2D(name=f"maxpooling2d{number}")(x)
    x = L.Dense(500, activation="relu", name="dense1")(L.Flatten(name="flatten1")(x))
    return tf.keras.Model(image, L.Dense(10, activation="softmax", name="digit")(x))


def chain(length=30):
    """A long chain, which stands in columns."""
    dense = [L.Dense(8, activation="relu", name=f"dense{number}") for number in range(1, length + 1)]
    return tf.keras.Sequential([tf.keras.Input((8,), name="input"), *dense])


def _conv_bn(x, name, number, filters, kernel, strides=1, relu=True):
    x = L.Conv2D(filters, kernel, strides=strides, padding="same", name=f"{name}conv2d{number}")(x)
    x = L.BatchNormalization(name=f"{name}batchnormalization{number}")(x)
    return L.Activation("relu", name=f"{name}activation{number}")(x) if relu else x


def resnet(depths=(3, 4, 6, 3)):
    """ResNet-50 by default: residuals, the first of each stage with a projection, in two levels of blocks."""
    image = tf.keras.Input((224, 224, 3), name="input")
    x = L.MaxPooling2D(3, 2, padding="same", name="maxpooling2d1")(_conv_bn(image, "", 1, 64, 7, 2))
    for stage, (filters, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=False), 1):
        for number in range(1, depth + 1):
            name, strides = f"stage{stage}.bottleneck{number}.", 2 if stage > 1 and number == 1 else 1
            y = _conv_bn(_conv_bn(x, name, 1, filters, 1, strides), name, 2, filters, 3)
            y = _conv_bn(y, name, 3, 4 * filters, 1, relu=False)
            if number == 1:
                x = _conv_bn(x, name, 4, 4 * filters, 1, strides, relu=False)
            x = L.ReLU(name=f"{name}relu1")(L.Add(name=f"{name}add1")([y, x]))
    x = L.GlobalAveragePooling2D(name="globalaveragepooling2d1")(x)
    return tf.keras.Model(image, L.Dense(1000, activation="softmax", name="dense1")(x))


def unet():
    """Skips from block to block, the first around all others."""
    x = image = tf.keras.Input((64, 64, 3), name="input")
    skips = []
    for number, filters in enumerate((8, 16, 32), 1):
        skips.append(L.Conv2D(filters, 3, padding="same", activation="relu", name=f"down{number}.conv2d1")(x))
        x = L.MaxPooling2D(name=f"down{number}.maxpooling2d1")(skips[-1])
    x = L.Conv2D(64, 3, padding="same", name="conv2d1")(x)
    for number, (filters, skip) in enumerate(zip((32, 16, 8), skips[::-1], strict=True), 1):
        x = L.Conv2DTranspose(filters, 3, strides=2, padding="same", name=f"up{number}.conv2dtranspose1")(x)
        x = L.Concatenate(name=f"up{number}.concatenate1")([x, skip])
        x = L.Conv2D(filters, 3, padding="same", activation="relu", name=f"up{number}.conv2d1")(x)
    return tf.keras.Model(image, L.Conv2D(4, 1, activation="softmax", name="conv2d2")(x))


def siamese():
    """Two inputs through one encoder."""
    left, right = (tf.keras.Input((28, 28, 1), name=name) for name in ("left", "right"))
    layers = [
        L.Conv2D(4, 3, activation="relu", name="encoder.conv2d1"),
        L.Flatten(name="encoder.flatten1"),
        L.Dense(16, name="encoder.dense1"),
    ]
    ends = []
    for x in (left, right):
        for layer in layers:
            x = layer(x)
        ends.append(x)
    return tf.keras.Model([left, right], L.Dot(1, normalize=True, name="dot1")(ends))


def inception():
    """Branches of several lengths, one of which splits."""
    x = image = tf.keras.Input((32, 32, 8), name="input")
    for module in (1, 2):
        conv = lambda number, kernel, m=module: L.Conv2D(8, kernel, padding="same", name=f"conv2d{m}_{number}")  # noqa: E731
        split = conv(4, 1)(x)
        branches = [
            conv(1, 1)(x),
            conv(3, 3)(conv(2, 1)(x)),
            L.Concatenate(name=f"split{module}")([conv(5, (1, 3))(split), conv(6, (3, 1))(split)]),
            L.MaxPooling2D(3, 1, padding="same", name=f"pool{module}")(x),
        ]
        x = L.Concatenate(name=f"concatenate{module}")(branches)
    return tf.keras.Model(image, L.GlobalAveragePooling2D(name="average")(x))


def decoder():
    """What is neither series nor parallel: every block takes from the one before and from the encoder."""
    source, target = tf.keras.Input((None, 16), name="source"), tf.keras.Input((None, 16), name="target")
    memory = L.Dense(16, name="encoder")(source)
    x = target
    for number in (1, 2, 3):
        name = f"decoder{number}."
        y = L.MultiHeadAttention(2, 8, name=f"{name}multiheadattention1")(x, x)
        x = L.Add(name=f"{name}add1")([x, y])
        y = L.MultiHeadAttention(2, 8, name=f"{name}multiheadattention2")(x, memory)
        x = L.Add(name=f"{name}add2")([x, y])
    return tf.keras.Model([source, target], L.Dense(4, name="dense1")(x))


def two_outputs():
    """An output in the middle, and two at the end."""
    x = table = tf.keras.Input((12,), name="table")
    x = L.Dense(8, name="early")(x)
    trunk = L.Dense(8, name="trunk")(x)
    return tf.keras.Model(table, [L.Dense(3, name="kind")(trunk), L.Dense(2, name="size")(trunk), x])


def around():
    """A block that a way leaves and enters again, which no frame can hold."""
    x = table = tf.keras.Input((12,), name="table")
    x = L.Dense(8, name="a.dense1")(x)
    return tf.keras.Model(table, L.Dense(8, name="a.dense2")(L.Dense(8, name="between")(x)))


def one_layer():
    """The smallest."""
    return tf.keras.Sequential([tf.keras.Input((4,), name="input"), L.Dense(1, name="dense1")])


def operations():
    """Functions of TensorFlow, in whose names are dots that part no blocks."""
    left, right = tf.keras.Input((4,), name="left"), tf.keras.Input((4,), name="right")
    return tf.keras.Model([left, right], tf.nn.relu(left * 2 + right))


BUILDERS = (lenet, chain, resnet, unet, siamese, inception, decoder, two_outputs, around, one_layer, operations)


@pytest.fixture(scope="session")
def networks():
    """The functions that build them, by name."""
    return SimpleNamespace(**{build.__name__: build for build in BUILDERS})


@pytest.fixture(scope="session", params=BUILDERS, ids=lambda build: build.__name__)
def model(request):
    """Each of them."""
    return request.param()
