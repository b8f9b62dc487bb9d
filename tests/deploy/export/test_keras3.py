"""Keras -> a .keras file of Keras 3"""

from __future__ import annotations

import stat
import sys

import numpy as np
import pytest

import trainkit
from trainkit.deploy.compress.constants import read_constants
from trainkit.deploy.compress.keeper import check_file
from trainkit.deploy.compress.result import Promise
from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.keras3 import export_keras3
from trainkit.deploy.proof import make_proof
from trainkit.deploy.verify import verify_file
from trainkit.errors import DiskFullError, ExportError
from trainkit.framework import tf
from trainkit.inference.keras3 import is_keras3
from trainkit.models.layers import Impute

layers = tf.keras.layers
CONTEXT = ExportContext("a", None, lambda count: [], "0.1.0")


def values(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def chain(shape, *body):
    inputs = x = tf.keras.Input(shape, name="input")
    for layer in body:
        x = layer(x)
    return tf.keras.Model(inputs, layers.Dense(3, name="answer")(x)), {"input": values(40, *(n or 6 for n in shape))}


def images():
    norm, normalize = layers.BatchNormalization(), layers.Normalization()
    normalize.adapt(3 * values(50, 8, 8, 2) + 1)
    model, inputs = chain(
        (8, 8, 2),
        normalize,
        layers.SeparableConv2D(4, 3, activation="swish"),
        norm,
        layers.LeakyReLU(0.1),
        layers.DepthwiseConv2D(3),
        layers.PReLU(shared_axes=[1, 2]),
        layers.SpatialDropout2D(0.1),
        layers.Flatten(),
    )
    norm.set_weights([values(4, seed=2), values(4, seed=3), values(4, seed=4), np.abs(values(4, seed=5)) + 0.5])
    return model, inputs


def recurrent():
    both = layers.Bidirectional(layers.GRU(4, return_sequences=True))
    model, inputs = chain((None, 5), layers.Masking(), both, layers.LSTM(3), layers.Dense(4))
    inputs["input"][::3, 4:] = 0
    return model, inputs


def shared():
    left, right = tf.keras.Input((5,), name="left"), tf.keras.Input((5,), name="right")
    encoder = tf.keras.Sequential([tf.keras.Input((5,)), layers.Dense(4, activation="gelu"), layers.Dense(3)])
    likeness = layers.Dot(1, normalize=True, name="likeness")([encoder(left), encoder(right)])
    size = layers.Dense(2, name="size")(layers.Concatenate()([encoder(left), right]))
    return tf.keras.Model([left, right], [likeness, size]), {"left": values(40, 5), "right": values(40, 5, seed=2)}


def attention():
    inputs = tf.keras.Input((4, 6), name="input")
    x = layers.Add()([inputs, layers.MultiHeadAttention(2, 3)(inputs, inputs)])
    x = layers.Flatten()(layers.LayerNormalization()(x))
    return tf.keras.Model(inputs, layers.Dense(2, name="answer")(x)), {"input": values(40, 4, 6)}


@pytest.mark.parametrize(
    "build",
    [images, *(pytest.param(build, marks=pytest.mark.slow) for build in (recurrent, shared, attention))],
    ids=lambda build: build.__name__,
)
def test_keras3_answers_like_the_model_whatever_backend_its_user_has_chosen(build, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    model, inputs = build()
    model.save(tmp_path / "model.keras")
    proof = make_proof(model, tmp_path / "model.keras", inputs, {})
    filepath = export_keras3(model, tmp_path / "a_keras3.keras", context=CONTEXT)
    assert is_keras3(filepath)
    report = verify_file(filepath, precision="float32", proof=proof)
    assert report.parity.passed, report.parity.reason
    assert report.facts["keras"].startswith("3.")
    if build is shared:
        found = trainkit.load(filepath, trusted=True)(inputs)
        for name, expected in proof.outputs.items():
            np.testing.assert_allclose(found[name], expected, atol=1e-5)


@pytest.mark.slow
def test_file_of_other_weights_fails(tmp_path):
    model, inputs = images()
    model.save(tmp_path / "model.keras")
    proof = make_proof(model, tmp_path / "model.keras", inputs, {})
    assert proof.outputs  # asked now: of the weights as they are
    norm = next(layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
    norm.moving_variance.assign(norm.moving_variance * 1.01)
    filepath = export_keras3(model, tmp_path / "a_keras3.keras", context=CONTEXT)
    assert not verify_file(filepath, precision="float32", proof=proof).parity.passed


def test_zeros_are_found(tmp_path):
    model, _ = chain((6,), layers.Dense(5, name="hidden"))
    kernel = values(6, 5)
    kernel[:3] = 0
    model.get_layer("hidden").kernel.assign(kernel)
    filepath = export_keras3(model, tmp_path / "a_keras3.keras", context=CONTEXT)
    (kept,) = check_file(read_constants(filepath), [Promise("Prune", "hidden", "kernel", "zeros", 15, 30)])
    assert (kept.found, kept.holds) == (15, True)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (tf.math.exp, r"layer `tf\.math\.exp` \(TFOpLambda\): it is a function of TensorFlow, no layer of Keras 3"),
        (layers.Lambda(tf.math.erf, name="a"), r"layer `a` \(Lambda\): it is a function"),
        (layers.Discretization([0.0], name="a"), r"layer `a` \(Discretization\): its table is not carried over"),
        (Impute(name="a"), r"layer `a` \(Impute\): it is no layer of Keras"),
        (
            tf.keras.Sequential([layers.Dense(2, "hard_sigmoid", name="a"), layers.ThresholdedReLU(name="b")], "both"),
            r"`both\.a` \(Dense\): activation='hard_sigmoid' is another function.*"
            r"`both\.b` \(ThresholdedReLU\): Keras 3 has no layer of this class",
        ),
    ],
    ids=["function", "lambda", "table", "custom", "activation and gone"],
)
def test_what_keras3_does_not_have_is_named(layer, told, tmp_path):
    inputs = tf.keras.Input((4,), name="input")
    if isinstance(layer, Impute):
        layer.adapt(np.ones((3, 4), np.float32))
    model = tf.keras.Model(inputs, layer(inputs))
    with pytest.raises(ExportError, match=rf"^a_keras3\.keras cannot be written: {told}.* or leave Keras3 out of"):
        export_keras3(model, tmp_path / "a_keras3.keras", context=CONTEXT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("kill -ALRM $$", r"Keras 3: no answer within 300 seconds\."),
        ("kill -40 $$", r"Keras 3: killed by signal 40\."),
        ("echo one >&2; exit 7", r"Keras 3: its process ended with exit code 7\. one\."),
    ],
    ids=["timeout", "real-time signal", "exit code"],
)
def test_end_of_the_child_is_told(script, told, tmp_path, monkeypatch):
    stand_in(script, tmp_path, monkeypatch)
    with pytest.raises(ExportError, match=rf"^a_keras3\.keras cannot be written: {told} Replace what is named"):
        export_keras3(chain((6,))[0], tmp_path / "a_keras3.keras", context=CONTEXT)


def test_no_room_for_the_weights_is_a_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainkit.deploy.export.keras3.np.savez", full)
    with pytest.raises(DiskFullError, match=r"cannot be written: No space left on device\.$"):
        export_keras3(chain((6,))[0], tmp_path / "a_keras3.keras", context=CONTEXT)


@pytest.mark.slow
def test_no_room_in_the_child_is_a_full_disk(tmp_path, monkeypatch):
    """A directory in the place of the file is what the child cannot write on any machine."""
    stand_in(f'mkdir "$4/model.keras"; exec {sys.executable} "$@"', tmp_path, monkeypatch)
    with pytest.raises(DiskFullError, match=r"cannot be written: .*model\.keras"):
        export_keras3(chain((6,))[0], tmp_path / "a_keras3.keras", context=CONTEXT)


def stand_in(script, folder, monkeypatch):
    """Let a shell script stand in for the child."""
    filepath = folder / "python"
    filepath.write_text(f"#!/bin/sh\n{script}\n")
    filepath.chmod(filepath.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(filepath))
