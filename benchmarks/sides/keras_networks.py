"""The networks that are compared, in tf.keras, and their data as plain scripts have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}  # the Keras that TrainKit takes
import tensorflow as tf

L = tf.keras.layers


def load(filepath: str) -> tuple[np.ndarray, np.ndarray]:
    """The inputs as float32, images from 0 to 1, and the classes."""
    with np.load(filepath) as arrays:
        inputs, classes = arrays["x"], arrays["y"]
    return (inputs.astype(np.float32) / 255 if inputs.dtype == np.uint8 else inputs), classes


def make_model(network: str, inputs: np.ndarray, classes: int) -> Any:
    """A model by its name, with Adam, cross-entropy and accuracy."""
    image = tf.keras.Input(inputs.shape[1:])
    model = tf.keras.Model(image, NETWORKS[network](image, classes))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
    return model


def lenet300(x: Any, classes: int) -> Any:
    x = L.Flatten()(x)
    x = L.Dense(300, activation="relu")(x)
    x = L.Dense(100, activation="relu")(x)
    return L.Dense(classes, activation="softmax")(x)


def lenet5(x: Any, classes: int) -> Any:
    x = L.MaxPooling2D()(L.Conv2D(20, 5, activation="relu")(x))
    x = L.MaxPooling2D()(L.Conv2D(50, 5, activation="relu")(x))
    x = L.Dense(500, activation="relu")(L.Flatten()(x))
    return L.Dense(classes, activation="softmax")(x)


def resnet8(x: Any, classes: int) -> Any:
    def conv(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        decay = tf.keras.regularizers.L2(1e-4)
        return L.Conv2D(filters, size, strides, "same", kernel_initializer="he_normal", kernel_regularizer=decay)(x)

    x = L.ReLU()(L.BatchNormalization()(conv(x, 16)))
    for filters, strides in ((16, 1), (32, 2), (64, 2)):
        y = L.ReLU()(L.BatchNormalization()(conv(x, filters, strides=strides)))
        y = L.BatchNormalization()(conv(y, filters))
        x = L.ReLU()(L.Add()([conv(x, filters, 1, strides) if strides > 1 else x, y]))
    return L.Dense(classes, activation="softmax", kernel_initializer="he_normal")(L.GlobalAveragePooling2D()(x))


def mobilenet(x: Any, classes: int) -> Any:
    def norm(x: Any) -> Any:
        return L.ReLU(max_value=6)(L.BatchNormalization()(x))

    x = norm(L.Conv2D(8, 3, 2, "same", use_bias=False)(x))
    for filters, strides in (
        (16, 1),
        (32, 2),
        (32, 1),
        (64, 2),
        (64, 1),
        *((128, 2), *[(128, 1)] * 5),
        (256, 2),
        (256, 1),
    ):
        if strides == 2:
            x = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
        x = norm(L.DepthwiseConv2D(3, strides, "valid" if strides == 2 else "same", use_bias=False)(x))
        x = norm(L.Conv2D(filters, 1, use_bias=False)(x))
    x = L.Dropout(0.001)(L.GlobalAveragePooling2D()(x))
    return L.Dense(classes, activation="softmax")(x)


def lstm(x: Any, classes: int) -> Any:
    return L.Dense(classes, activation="softmax")(L.LSTM(64)(x))


def resnet50(x: Any, classes: int) -> Any:
    return tf.keras.applications.ResNet50(weights=None, input_tensor=x, classes=classes).output


NETWORKS: dict[str, Callable[[Any, int], Any]] = {
    "LeNet-300-100": lenet300,
    "LeNet-5": lenet5,
    "ResNet-8": resnet8,
    "MobileNetV1 0.25": mobilenet,
    "LSTM": lstm,
    "ResNet-50": resnet50,
}
