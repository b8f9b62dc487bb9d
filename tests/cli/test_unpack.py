"""`trainkit unpack`"""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.export import ExportContext
from trainkit.deploy.export.tkz import export_tkz
from trainkit.framework import tf

layers = tf.keras.layers


@pytest.fixture
def packed(tmp_path):
    model = tf.keras.Sequential([layers.Flatten(input_shape=(28, 28, 1)), layers.Dense(10, activation="softmax")])
    model.set_weights([np.zeros((784, 10)), np.arange(10) / 4])
    return export_tkz(model, tmp_path / "digits.tkz", context=ExportContext("a", None, lambda count: [], "0.1.0"))


def test_unpack_writes_a_keras_file(command, packed, tmp_path):
    told = command("unpack", packed, "-o", tmp_path / "new.keras")
    assert (told.code, told.err) == (0, "")
    assert "new.keras: 7,850 parameters" in told.out
    model = tf.keras.models.load_model(tmp_path / "new.keras", compile=False)
    assert np.array_equal(model.get_weights()[1], np.arange(10) / 4)


def test_unpack_names_the_file_after_the_other(command, packed):
    assert command("unpack", packed).code == 0
    assert packed.with_suffix(".keras").is_file()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda content: content[:-3], "is damaged or cut: its checksum is another"),
        (lambda content: b"PK\x03\x04" + content, "is no .tkz file"),
        (lambda content: b"TKZ\x09" + content[4:], "is of version 9 of the format, not of version 2"),
        (lambda content: b"", "is no .tkz file"),
    ],
    ids=["cut", "foreign", "of another version", "empty"],
)
def test_unpack_refuses_a_file_that_is_not_whole(change, told, command, packed):
    packed.write_bytes(change(packed.read_bytes()))
    ended = command("unpack", packed)
    assert ended.code == 2
    assert "`file` must be a whole .tkz file. Received: " in ended.err
    assert told in ended.err
    assert not packed.with_suffix(".keras").exists()


@pytest.mark.parametrize("arguments", [("missing.tkz",), ("missing.tkz", "-o", "a.txt")], ids=["file", "suffix"])
def test_unpack_refuses_bad_input(arguments, command):
    assert command("unpack", *arguments).code == 2
