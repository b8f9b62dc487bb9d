"""The picture of a network: whole or not at all."""

from __future__ import annotations

import pytest

from trainkit.errors import OutputError
from trainkit.framework import tf
from trainkit.training import network_picture
from trainkit.training.network_picture import write_network


@pytest.fixture(scope="module")
def model():
    return tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(1)])


def test_write_network_leaves_old_files_where_drawing_fails(model, tmp_path, monkeypatch):
    filepaths = [tmp_path / "a.svg", tmp_path / "a.png"]
    filepaths[0].write_text("old")

    def half(model, filepaths, **settings):
        filepaths[0].write_text("half")
        raise MemoryError("too large")

    monkeypatch.setattr(network_picture, "draw_network", half)
    with pytest.raises(MemoryError, match="too large"):
        write_network(model, filepaths, title="a title")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.svg", "old")]


def test_write_network_names_the_file_that_cannot_be_written(model, tmp_path):
    with pytest.raises(OutputError, match=r"none/a\.svg cannot be written"):
        write_network(model, [tmp_path / "none" / "a.svg"], title="a title")
