"""`trainkit import`"""

from __future__ import annotations

import pytest

from trainkit.framework import tf

layers = tf.keras.layers


@pytest.fixture
def digits(tmp_path):
    model = tf.keras.Sequential([layers.Flatten(input_shape=(28, 28, 1)), layers.Dense(10, activation="softmax")])
    model.save(tmp_path / "digits.keras")
    return tmp_path / "digits.keras"


def test_import_writes_a_config_that_trains(command, digits, tmp_path):
    data = tmp_path / "data.yaml"
    data.write_text(
        "version: 1\nname: data\ndata: {source: Sample}\n"
        "training: {epochs: 1, loss: SparseCategoricalCrossentropy, metrics: [SparseCategoricalAccuracy]}\n"
    )
    told = command("import", digits, "--output", tmp_path / "new.yaml", "--data", data)
    assert (told.code, told.err) == (0, "")
    assert "new.yaml: 2 layers, 7,850 parameters\n" in told.out
    assert command("check", tmp_path / "new.yaml").code == 0


def test_import_refuses_a_file_that_exists(command, digits, tmp_path):
    (tmp_path / "new.yaml").write_text("mine")
    told = command("import", digits, "--output", tmp_path / "new.yaml")
    assert (told.code, (tmp_path / "new.yaml").read_text()) == (2, "mine")
    assert "exists and is left alone" in told.err


def test_import_tells_layers_that_it_cannot_write(command, tmp_path):
    x = tf.keras.Input((4,))
    tf.keras.Model(x, tf.sqrt(x)).save(tmp_path / "root.keras")
    told = command("import", tmp_path / "root.keras", "--output", tmp_path / "new.yaml")
    assert (told.code, (tmp_path / "new.yaml").exists()) == (2, False)
    assert "(tf.math.sqrt): no layer of Keras does the same" in told.err


@pytest.mark.parametrize(
    "arguments", [("missing.keras",), ("missing.keras", "--output", "a.txt")], ids=["file", "suffix"]
)
def test_import_refuses_bad_input(command, arguments):
    assert command("import", *arguments).code == 2
