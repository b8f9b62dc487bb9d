"""Writes `trainkit/coding/network.txt`: what descriptions of networks have in common, by which `.tkz` packs them.

The file is part of the format: another one makes every .tkz unreadable that there is, and wants another version.
"""

from __future__ import annotations

from pathlib import Path

from trainkit.deploy.export.tkz import describe_network
from trainkit.framework import tf

FILEPATH = Path(__file__).parents[1] / "trainkit/coding/network.txt"
layers = tf.keras.layers


def make_texts() -> list[str]:
    """Descriptions of small networks, the most common last: what is nearer to the end costs less."""
    image, steps = tf.keras.Input((32, 32, 3), name="input"), tf.keras.Input((100, 64), name="input")
    words, row = tf.keras.Input((100,), dtype="int32", name="input"), tf.keras.Input((16,), name="input")
    chains = [
        (words, [layers.Embedding(1000, 64, name="embedding1"), layers.GlobalAveragePooling1D(name="pooling1")]),
        (
            steps,
            [
                layers.Bidirectional(layers.LSTM(64, return_sequences=True, name="lstm"), name="bidirectional1"),
                layers.LSTM(64, name="lstm1"),
            ],
        ),
        (steps, [layers.GRU(64, return_sequences=True, name="gru1"), layers.SimpleRNN(64, name="simplernn1")]),
        (
            steps,
            [
                layers.Conv1D(64, 3, padding="same", activation="relu", name="conv1d1"),
                layers.MaxPooling1D(name="maxpooling1d1"),
                layers.LayerNormalization(name="layernormalization1"),
                layers.GlobalMaxPooling1D(name="globalmaxpooling1d1"),
            ],
        ),
        (
            image,
            [
                layers.RandomFlip(name="randomflip1"),
                layers.ZeroPadding2D(name="zeropadding2d1"),
                layers.Conv2DTranspose(64, 3, strides=2, padding="same", name="conv2dtranspose1"),
                layers.SeparableConv2D(64, 3, padding="same", use_bias=False, name="separableconv2d1"),
                layers.AveragePooling2D(name="averagepooling2d1"),
                layers.UpSampling2D(name="upsampling2d1"),
                layers.GlobalMaxPooling2D(name="globalmaxpooling2d1"),
                layers.Reshape((8, 8, 1), name="reshape1"),
                layers.LeakyReLU(name="leakyrelu1"),
                layers.Softmax(name="softmax1"),
            ],
        ),
        (
            image,
            [
                layers.Conv2D(64, 3, strides=2, padding="same", use_bias=False, name="conv2d1"),
                layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwiseconv2d1"),
                layers.BatchNormalization(name="batchnormalization1"),
                layers.ReLU(6.0, name="relu1"),
                layers.Activation("relu", name="activation1"),
                layers.GlobalAveragePooling2D(name="globalaveragepooling2d1"),
            ],
        ),
        (
            row,
            [
                layers.Normalization(name="normalization1"),
                layers.Dense(1, activation="sigmoid", name="dense1"),
                layers.Dropout(0.5, name="dropout1"),
                layers.Dense(1, name="dense2"),
            ],
        ),
        (
            image,
            [
                layers.Rescaling(1 / 255, name="rescaling1"),
                layers.Conv2D(32, 3, activation="relu", name="conv2d1"),
                layers.MaxPooling2D(name="maxpooling2d1"),
                layers.Conv2D(64, 3, activation="relu", name="conv2d2"),
                layers.MaxPooling2D(name="maxpooling2d2"),
                layers.Flatten(name="flatten1"),
                layers.Dense(128, activation="relu", name="dense1"),
                layers.Dense(10, activation="softmax", name="dense2"),
            ],
        ),
    ]
    return [*map(describe_network, [_attend(steps), _merge(image)]), *(_chain(*chain) for chain in chains)]


def _chain(given: tf.Tensor, chain: list[tf.keras.layers.Layer]) -> str:
    x = given
    for layer in chain:
        x = layer(x)
    return describe_network(tf.keras.Model(given, x, name="network"))


def _attend(given: tf.Tensor) -> tf.keras.Model:
    x = layers.MultiHeadAttention(4, 16, name="multiheadattention1")(given, given)
    return tf.keras.Model(given, layers.Add(name="add1")([given, x]), name="network")


def _merge(given: tf.Tensor) -> tf.keras.Model:
    x = layers.Concatenate(name="concatenate1")([given, layers.Multiply(name="multiply1")([given, given])])
    return tf.keras.Model(given, x, name="network")


if __name__ == "__main__":
    FILEPATH.write_text("".join(make_texts()), encoding="ascii")
    print(f"{FILEPATH}: {FILEPATH.stat().st_size:,} bytes")
