"""Files of Keras 3 as models of tf_keras: what is carried over, and what is refused.

One process makes all files, and does what the child of `read_keras3` does; `read` then hands that over in place of the
child, which would take seconds each time. Tests with "child" in their names start it.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trainkit.errors import InputError, PredictionError
from trainkit.framework import tf
from trainkit.inference.keras3 import is_keras3, read_keras3
from trainkit.inference.predictor import ENVIRONMENTS

CARRIED = {
    "sequential": ["digit"],
    "functional": ["total", "share"],
    "dictionaries": ["a", "z"],
    "nested": ["digit", "dense"],
    "shared_output": ["inner", "last", "dense"],
    "attention": ["x", "global_max_pooling1d", "multi_head_attention_2"],
    "recurrent": ["last"],
    "states": ["lstm", "lstm_2", "by_hand", "frames"],
    "mixed": ["last"],
    "arithmetic": ["digit"],
    "bytes_in": ["largest"],
    "one_sample": ["digit"],
    "half": ["digit"],
    "mobilenet_v2": ["predictions"],
}
"""Models and the names of their outputs."""
REFUSED = {
    "lacking": [
        r"lacking\.keras cannot be rebuilt in tf_keras, because of 5 of its 7 layers:",
        r"  'rms' \(RMSNormalization\): tf_keras has no layer of this class\.",
        r"  'resize' \(Resizing\): tf_keras has no argument pad_to_aspect_ratio=True\.",
        r"  'act' \(Dense\): activation='hard_tanh' does not exist in tf_keras\.",
        r"  'spectral' \(SpectralNormalization\): tf_keras cannot read it back from a file\.",
        r"  'mean' \(Mean\): tf_keras has no layer for this function with these arguments\.",
    ],
    "custom": [
        r"custom\.keras cannot be rebuilt in tf_keras, because of 3 of its 4 layers:",
        r"  'twice' \(Twice\): the class is none of Keras, and the file does not hold its code\.",
        r"  'plus' \(Lambda\): it holds Python code, which is not run\.",
        r"  'rms' \(RMSNormalization\): tf_keras has no layer of this class\.",
    ],
    "subclass": [
        r"subclass\.keras .*\n  'Network' \(Network\): the class is none of Keras, and the file does not hold"
    ],
    "constant": [r"constant\.keras .*\n  'multiply' \(Multiply\): tf_keras has no layer for this function with these"],
    "ranks": [r"ranks\.keras .*\n  'add' \(Add\): it is called with tensors of a different number of axes\."],
    "in_frames": [r"in_frames\.keras .*\n  'frames' \(TimeDistributed\): layer=Sequential cannot be carried over\."],
    "hard_gates": [
        r"hard_gates\.keras .*\n  'gates' \(LSTM\): recurrent_activation='hard_sigmoid' has another meaning"
    ],
    "masked_state": [
        r"masked_state\.keras .*: the answers of the two models to the same inputs differ by 0\.\d of the"
    ],
    "open_sequential": [r"open_sequential\.keras cannot be read by Keras 3: Sequential 'sequential' is not Functional"],
}
"""Models and the message, in lines."""
SLOW = {"mobilenet_v3": ["predictions"], "efficientnet": ["predictions"]}


def make(folder, names):
    command = [sys.executable, str(Path(__file__).with_name("make_keras3_models.py")), str(folder), *names]
    ended = subprocess.run(
        command, env=os.environ | ENVIRONMENTS["Keras 3"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("keras3"), [*CARRIED, *REFUSED, "dull"])


@pytest.fixture(scope="module")
def slow_folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("keras3"), list(SLOW))


@pytest.fixture
def child(monkeypatch, tmp_path):
    """Let a shell script stand in for the child; `$4` is the folder."""

    def stand_in(script):
        filepath = tmp_path / "python"
        filepath.write_text(f"#!/bin/sh\n{script}\n")
        filepath.chmod(filepath.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", str(filepath))

    return stand_in


@pytest.fixture
def read(child):
    """`read_keras3`, with what a child brought back before."""

    def read_prepared(filepath, prepared=None):
        child(f'cp "{prepared or f"{filepath}.read"}"/* "$4"; test ! -e "$4/error.json"')
        return read_keras3(filepath)

    return read_prepared


def check_answers(model, filepath):
    """Compare with what Keras 3 answered when the file was made, to inputs of the test's own."""
    with np.load(filepath.with_suffix(".npz")) as arrays:
        values = [arrays[f"arr_{index}"] for index in range(len(arrays))]
    inputs, expected = values[: len(model.inputs)], values[len(model.inputs) :]
    received = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    for array, other in zip(received if isinstance(received, list) else [received], expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "outputs"), CARRIED.items(), ids=CARRIED)
def test_read_answers_like_the_file(name, outputs, folder, read):
    model = read(folder / f"{name}.keras")
    assert model.output_names == outputs
    check_answers(model, folder / f"{name}.keras")


@pytest.mark.parametrize("name", ["functional", "nested", "sequential"])
def test_read_takes_h5(name, folder, read):
    model = read(folder / f"{name}.h5")
    assert model.output_names == CARRIED[name]
    check_answers(model, folder / f"{name}.h5")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "outputs"), SLOW.items(), ids=SLOW)
def test_read_takes_applications(name, outputs, slow_folder, read):
    model = read(slow_folder / f"{name}.keras")
    assert model.output_names == outputs
    check_answers(model, slow_folder / f"{name}.keras")


def test_read_by_a_child(folder):
    model = read_keras3(folder / "nested.keras")
    assert model.input_names == ["image"]
    check_answers(model, folder / "nested.keras")


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("functional", ["left", "right"]), ("dictionaries", ["deep", "wide"]), ("attention", ["query", "value", "mask"])],
    ids=["list", "dictionary", "keywords"],
)
def test_read_keeps_the_names_of_inputs(name, inputs, folder, read):
    assert read(folder / f"{name}.keras").input_names == inputs


@pytest.mark.parametrize("name", ["nested", "attention", "arithmetic", "mixed"])
def test_read_gives_plain_layers_that_can_be_saved(name, folder, read, tmp_path):
    model = read(folder / f"{name}.keras")
    assert all(getattr(tf.keras.layers, type(layer).__name__) is type(layer) for layer in model.layers)
    model.save(tmp_path / "again.keras")
    check_answers(tf.keras.models.load_model(tmp_path / "again.keras", compile=False), folder / f"{name}.keras")


def test_read_keeps_what_answers_do_not_show(folder, read):
    model = read(folder / "sequential.keras")
    by_class = {type(layer).__name__: layer for layer in model.layers}
    assert by_class["Conv2D"].kernel_regularizer.l2 == pytest.approx(1e-3)
    assert isinstance(by_class["DepthwiseConv2D"].depthwise_constraint, tf.keras.constraints.NonNeg)
    assert by_class["BatchNormalization"].momentum == pytest.approx(0.9)
    assert by_class["Dropout"].seed == 4
    assert by_class["RandomFlip"].seed == 5


def test_read_keeps_dtype_policies(folder, read):
    policies = [layer.dtype_policy.name for layer in read(folder / "half.keras").layers]
    assert {"mixed_float16", "mixed_bfloat16", "float16", "float32"} == set(policies)


def test_read_keeps_frozen_layers(folder, read):
    norms = [layer for layer in read(folder / "mixed.keras").layers if "normalization" in layer.name]
    assert [layer.trainable for layer in norms if type(layer) is tf.keras.layers.BatchNormalization] == [False]


@pytest.mark.parametrize(("name", "moves"), [("sequential", True), ("nested", False)], ids=["open", "training=False"])
def test_read_trains_what_keras_3_trains(name, moves, folder, read):
    model = read(folder / f"{name}.keras")
    norm = next(layer for layer in model.layers if isinstance(layer, tf.keras.layers.BatchNormalization))
    before = norm.moving_mean.numpy()
    model(np.ones((2, *model.inputs[0].shape[1:]), np.float32), training=True)
    assert np.array_equal(before, norm.moving_mean.numpy()) != moves


@pytest.mark.parametrize(("name", "lines"), REFUSED.items(), ids=REFUSED)
def test_read_refuses_what_cannot_be_carried_over(name, lines, folder, read):
    with pytest.raises(PredictionError, match="^" + "\n".join(lines)):
        read(folder / f"{name}.keras")


def test_read_says_that_answers_prove_little(folder, read):
    with pytest.warns(
        UserWarning, match=r"^dull\.keras: the answers to different inputs hardly differ \(`digit`, by 0 "
    ):
        read(folder / "dull.keras")


def test_read_refuses_other_answers(folder, read, tmp_path):
    prepared = shutil.copytree(folder / "functional.keras.read", tmp_path / "read")
    with np.load(prepared / "answers.npz") as arrays:
        answers = [arrays["arr_0"], arrays["arr_1"] + np.float32(1e-4)]
    np.savez(prepared / "answers.npz", *answers)
    with pytest.raises(PredictionError, match=r"^functional\.keras .* differ by 0\.0001 of the largest \(`share`\)"):
        read(folder / "functional.keras", prepared)


def test_read_refuses_other_weights(folder, read, tmp_path):
    prepared = shutil.copytree(folder / "functional.keras.read", tmp_path / "read")
    text = (prepared / "network.json").read_text()
    (prepared / "network.json").write_text(text.replace('"units": 4', '"units": 9'))
    with pytest.raises(
        PredictionError, match=r"'total' \(Dense\): tf_keras cannot call it: the shape is \(None, 9\) in"
    ):
        read(folder / "functional.keras", prepared)
    (prepared / "network.json").write_text(text.replace("layer_normalization/gamma", "layer_normalization/delta"))
    with pytest.raises(PredictionError, match=r"its weights are beta \(31,\), delta \(31,\); those of tf_keras beta"):
        read(folder / "functional.keras", prepared)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("kill -SEGV $$", r"killed by SIGSEGV\.$"),
        ("echo one >&2; echo two >&2; exit 7", r"its process ended with exit code 7\. two\.$"),
    ],
    ids=["crash", "exit code"],
)
def test_read_says_how_the_child_ended(script, told, child, folder):
    child(script)
    with pytest.raises(PredictionError, match=rf"^functional\.keras cannot be read by Keras 3: {told}"):
        read_keras3(folder / "functional.keras")


def test_read_gives_the_child_up(folder):
    with pytest.raises(PredictionError, match=r"^nested\.keras cannot be .*: no answer within 0\.001 seconds\.$"):
        read_keras3(folder / "nested.keras", timeout=1e-3)


def test_read_of_a_cut_file(folder, tmp_path):
    (tmp_path / "cut.keras").write_bytes((folder / "nested.keras").read_bytes()[:-300])
    with pytest.raises(PredictionError, match=r"^cut\.keras is no whole model of Keras: File is not a zip file\.$"):
        read_keras3(tmp_path / "cut.keras")


def test_read_of_damaged_weights(folder, read):
    with pytest.raises(PredictionError, match=r"^damaged\.keras cannot be read by Keras 3: .*truncated file"):
        read(folder / "damaged.keras")


def test_read_of_no_file(tmp_path):
    filepath = tmp_path / "none.keras"
    with pytest.raises(
        InputError, match=rf"^`filepath` must be .* Received: {re.escape(repr(str(filepath)))}, which is no"
    ):
        read_keras3(filepath)


@pytest.fixture(scope="module")
def other_files(tmp_path_factory, folder):
    """Files that are no models of Keras 3, and one that is."""
    others = tmp_path_factory.mktemp("others")
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.save(others / "two.keras")
    with pytest.warns(UserWarning, match="saving your model as an HDF5 file"):
        model.save(others / "two.h5")
    model.save_weights(others / "two.weights.h5")
    (others / "text.keras").write_text("no model")
    (others / "text.h5").write_text("no model")
    (others / "cut.keras").write_bytes((folder / "nested.keras").read_bytes()[:-300])
    (others / "cut.h5").write_bytes((folder / "nested.h5").read_bytes()[:700])
    with zipfile.ZipFile(others / "zip.keras", "w") as file:
        file.writestr("metadata.json", "[3]")
    return others


OTHERS = ["two.keras", "two.h5", "two.weights.h5", "text.keras", "text.h5", "cut.keras", "cut.h5", "zip.keras", "none"]


@pytest.mark.parametrize("name", OTHERS)
def test_is_keras3_of_other_files(name, other_files):
    assert not is_keras3(other_files / name)


@pytest.mark.parametrize("name", ["nested.keras", "nested.h5"])
def test_is_keras3(name, folder):
    assert is_keras3(folder / name)


def test_is_keras3_does_not_import_keras(folder):
    script = (
        "import sys; from trainkit.inference.keras3 import is_keras3; assert is_keras3(sys.argv[1]);"
        "sys.exit(str(sorted({'tensorflow', 'tf_keras', 'keras'} & set(sys.modules))))"
    )
    command = [sys.executable, "-c", script, str(folder / "nested.keras")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr.strip() == "[]"


@pytest.mark.parametrize("name", ["two.keras", "two.h5"])
def test_read_of_keras_2(name, other_files):
    with pytest.raises(
        PredictionError, match=rf"^{re.escape(name)} must be a model of Keras 3\. Received: one of Keras 2"
    ):
        read_keras3(other_files / name)
