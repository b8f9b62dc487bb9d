"""What the tests of execution share: small data, and a network for it."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import ArrayColumn, Field, Split
from trainkit.framework import tf
from trainkit.training.batches import Batches
from trainkit.training.random_streams import key_random_layers

SIZE, BATCH = 53, 10
"""The last batch has 3 samples."""


@pytest.fixture
def batches():
    """53 samples of 6 numbers and 3 classes in batches of 10, in shuffled passes."""
    rng = np.random.default_rng(0)
    inputs = ArrayColumn(rng.normal(size=(SIZE, 6)).astype("float32"))
    labels = ArrayColumn(rng.integers(0, 3, SIZE).astype("int32"), Field((), "int32", ("a", "b", "c")))
    return Batches(Split({"input": inputs}, {"answer": labels}), BATCH, seed=5)


@pytest.fixture
def make_model():
    """A compiled network with a random layer, always the same."""

    def make(*, rate=0.0, batch_norm=False, **options):
        tf.keras.utils.set_random_seed(1)
        layers = tf.keras.layers
        given = layers.Input((6,), name="input")
        hidden = layers.Dense(8, use_bias=not batch_norm, kernel_regularizer="l2", name="hidden")(given)
        if batch_norm:
            hidden = layers.BatchNormalization(name="norm")(hidden)
        hidden = layers.Dropout(rate, name="drop")(hidden)
        model = tf.keras.Model(given, layers.Dense(3, activation="softmax", name="answer")(hidden))
        model.compile(
            tf.keras.optimizers.Adam(0.01),
            {"answer": "sparse_categorical_crossentropy"},
            metrics={"answer": ["sparse_categorical_accuracy"]},
            **options,
        )
        model.optimizer.build(model.trainable_variables)
        key_random_layers(model, seed=3, step=model._train_counter)
        return model

    return make
