"""What a network costs, in words."""

import os

import pytest

from trainkit.framework import tf
from trainkit.models.costs import layer_costs
from trainkit.training.network_totals import phone_text, totals_text

K = tf.keras.layers


def chain(*layers, shape, dtype="float32"):
    tensor = inputs = tf.keras.Input(shape, dtype=dtype, name="input")
    for layer in layers:
        tensor = layer(tensor)
    model = tf.keras.Model(inputs, tensor)
    model.compile("adam")
    return model


def totals(model, **options):
    return [*totals_text(model, layer_costs(model), batch_size=8, **options)]


def test_totals_are_of_weights_work_and_memory():
    model = chain(K.Dense(100, name="wide"), K.BatchNormalization(name="norm"), K.Dense(10), shape=(50,))
    assert totals(model, lines={"wide": 7}) == [
        "parameters   6,510 (6,310 trained, 200 not), 26.0 KB",
        "MACs         6.00 k multiply-accumulates for a sample",
        "activations  1.04 KB for a sample; the most at once in inference is 600 B, at wide (line 7)",
        "training     about 110 KB at batch size 8 (an estimate, without TensorFlow itself):",
        "             weights 26.0 KB, gradients 25.2 KB, Adam 50.5 KB, kept activations 8.00 KB",
    ]


def test_totals_of_open_lengths_say_what_a_step_is():
    lines = totals(chain(K.LSTM(6), shape=(None, 4)))
    assert lines[1] == "MACs         240/step multiply-accumulates for a sample"
    assert lines[-1].startswith("/step        for each step of an axis of any length")


def test_totals_name_layers_of_an_unknown_kind():
    class Own(tf.keras.layers.Layer):
        def call(self, inputs):
            return inputs

    lines = totals(chain(Own(name="own"), K.Dense(2), shape=(4,)))
    assert (
        lines[1] == "MACs         8 multiply-accumulates for a sample, without own: what such a layer does is not known"
    )


def test_totals_say_that_a_training_does_not_fit_the_machine(monkeypatch):
    monkeypatch.setattr(os, "sysconf", lambda name: 100)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    lines = totals(chain(K.Dense(100), shape=(50,)))
    assert lines[-1] == "note: training takes more than the 10.0 KB of this machine: lower `data.batch_size`"


@pytest.mark.parametrize(
    ("layers", "shape", "dtype", "expected"),
    [
        ([K.Dense(2)], (4,), "float32", "TFLite       its own operations are enough, for any batch size"),
        (
            [K.GRU(2, return_sequences=True, name="gru1"), K.LSTM(2, name="lstm1")],
            (5, 4),
            "float32",
            "TFLite needs batch 1 for: gru1, lstm1 (line 12). The file is made so. "
            "For any batch size write `unroll: true` in gru1, lstm1, with a fixed number of steps.",
        ),
        (
            [K.GroupNormalization(2, name="norm1")],
            (8, 8, 4),
            "float32",
            "TFLite needs batch 1 for: norm1. The file is made so. ONNX and SavedModel take any batch size.",
        ),
        (
            [K.MaxPooling3D(name="pool1")],
            (4, 4, 4, 1),
            "float32",
            "TFLite needs Flex ops (Select TensorFlow) for: pool1 (line 9: MaxPool3D). "
            "Replace it, or export ONNX or SavedModel.",
        ),
        (
            [K.Resizing(4, 4, interpolation="area", name="small")],
            (8, 8, 3),
            "float32",
            "TFLite has no operation for: small (ResizeArea). Replace it, or export ONNX or SavedModel.",
        ),
    ],
    ids=["nothing", "recurrent", "batch-1", "Flex", "missing"],
)
def test_phone_text_says_what_is_needed_and_the_cure(layers, shape, dtype, expected):
    model = chain(*layers, shape=shape, dtype=dtype)
    assert [*phone_text(model, lines={"lstm1": 12, "pool1": 9})] == [expected]


def test_phone_text_says_what_is_done_before_the_file():
    model = chain(K.StringLookup(vocabulary=["a"], name="lookup1"), shape=(1,), dtype="string")
    assert [*phone_text(model)] == [
        "TFLite       its own operations are enough, for any batch size",
        "Done before the TFLite file, by the app: lookup1. preprocess.json, beside the file, says how.",
    ]


def test_phone_text_of_an_unrolled_network_needs_nothing():
    model = chain(K.Bidirectional(K.LSTM(2, unroll=True)), shape=(5, 4))
    assert [*phone_text(model)] == ["TFLite       its own operations are enough, for any batch size"]
