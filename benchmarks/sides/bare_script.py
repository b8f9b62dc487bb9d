"""A plain Keras script, MNIST and LeNet-5: bare_script.py DATA EPOCHS; what the stopwatch needs is in `channel.py`."""

from __future__ import annotations

import os
import sys
import time

from channel import Channel

channel, epochs = Channel(), int(sys.argv[2])
os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

L = tf.keras.layers


class Stopwatch(tf.keras.callbacks.Callback):
    """When the first step was done, and when epochs begin."""

    first = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._supports_tf_logs = True  # else Keras would make numbers of the metrics after each batch, for this alone
        self.begins: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.begins.append(time.time())

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.first = self.first or time.time()


with np.load(sys.argv[1]) as arrays:
    images, labels = arrays["x"].astype(np.float32) / 255, arrays["y"]
model = tf.keras.Sequential(
    [
        L.Conv2D(20, 5, activation="relu", input_shape=(28, 28, 1)),
        L.MaxPooling2D(),
        L.Conv2D(50, 5, activation="relu"),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dense(500, activation="relu"),
        L.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["sparse_categorical_accuracy"])
watch = Stopwatch()
model.fit(images, labels, batch_size=128, epochs=epochs, verbose=2, callbacks=[watch])
ends = [*watch.begins[1:], time.time()]
channel.answer(
    first=watch.first, epochs=[end - began for began, end in zip(watch.begins, ends, strict=True)], ended=time.time()
)
