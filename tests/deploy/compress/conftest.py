"""What the tests of compression share: a small trained network and a context that trains it further."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import trainkit
from trainkit.deploy.compress import CompressionContext, Measurement
from trainkit.framework import tf
from trainkit.runs import Run

BATCH_SIZE = 100
SAMPLES = 2000

TINY = """\
version: 1
name: tiny
data:
  source: {Npz: {path: digits.npz, test: digits_test.npz}}
  batch_size: 50
  validation_split: 0.2
model:
  input: [14, 14, 1]
  preprocess:
    - Rescaling: {scale: $(1/255)}
  layers:
    - Conv2D: {filters: 6, kernel_size: 3, strides: 2, use_bias: false}
    - BatchNormalization: {momentum: 0.9}
    - ReLU
    - Flatten
    - Dense: {units: $classes, activation: softmax}
      name: digit
training:
  epochs: 5
  optimizer: {Adam: {learning_rate: 1e-2}}
  loss: SparseCategoricalCrossentropy
  metrics: [SparseCategoricalAccuracy]
  callbacks:
    - EarlyStopping: {monitor: val_loss, patience: 3}
deploy: {benchmark: false}
"""


@pytest.fixture(scope="session")
def tiny_run(bench, make_once):
    """A run on 1,000 small digits, with a BatchNormalization. Tests must not change it."""

    def fit(folder):
        bench.save(folder)
        (folder / "tiny.yaml").write_text(TINY)
        trainkit.fit(folder / "tiny.yaml", runs=folder / "runs")

    return Run(make_once("tiny_run", fit) / "runs/tiny/001")


@pytest.fixture
def copy_of_run(tiny_run, tmp_path):
    """`tiny_run`, for a test to deploy."""
    return Run(shutil.copytree(tiny_run.directory, tmp_path / "001"))


@pytest.fixture(scope="session")
def context_with(bench):
    """From promises of earlier steps to what compressors are told; `rate` 0 leaves weights as they are."""

    def make(*promises, rate=1e-3):
        def fine_tune(model, *, epochs, callbacks):
            model.compile(tf.keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
            images, labels = bench.images[:SAMPLES], bench.labels[:SAMPLES]
            model.fit(images, labels, batch_size=BATCH_SIZE, epochs=epochs, callbacks=callbacks, verbose=0)

        def validate(model, samples):
            held = slice(SAMPLES, SAMPLES + (samples or SAMPLES))
            given, labels = model.predict_on_batch(bench.images[held]), bench.labels[held]
            losses = tf.keras.losses.sparse_categorical_crossentropy(labels, given)
            return Measurement(float(np.mean(losses)), float(np.mean(given.argmax(axis=1) == labels)))

        return CompressionContext(fine_tune, SAMPLES // BATCH_SIZE, bench.context().calibration, validate, promises)

    return make


@pytest.fixture(scope="session")
def pruned(model, context_with):
    """`model` with 80% zeros, 30% in the convolution."""
    from trainkit.deploy.compress.prune import prune

    return prune(model, sparsity=0.8, layers={"conv*": 0.3}, epochs=1, context=context_with())


@pytest.fixture(scope="session")
def clustered(pruned, context_with):
    """`pruned` with 8 values a kernel."""
    from trainkit.deploy.compress.cluster import cluster

    return cluster(pruned.model, clusters=8, context=context_with(*pruned.promises))
