"""What TrainKit has put into a model file besides the model."""

from __future__ import annotations

import zipfile

import pytest

from trainkit.inference.packed import read_packed


def pack(filepath, text, method=zipfile.ZIP_STORED):
    filepath.write_bytes(b"a model")
    with zipfile.ZipFile(filepath, "a") as archive:
        archive.writestr("trainkit.json", text, method)
    return filepath


def test_facts_come_as_texts(tmp_path):
    filepath = pack(tmp_path / "a.tflite", '{"name": "é", "data": {"inputs": {}}}')
    assert read_packed(filepath) == {"name": "é", "data": '{"inputs": {}}'}


@pytest.mark.parametrize("text", ["", "{", "[]", b"\xff\xfe"], ids=["empty", "cut", "list", "bytes"])
def test_damaged_facts_are_none(text, tmp_path):
    assert read_packed(pack(tmp_path / "a.tflite", text)) == {}


def test_compressed_facts_are_not_unpacked(tmp_path):
    assert read_packed(pack(tmp_path / "a.tflite", '{"name": "a"}', zipfile.ZIP_DEFLATED)) == {}


def test_other_files_hold_no_facts(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"a model")
    (tmp_path / "folder").mkdir()
    assert [read_packed(tmp_path / name) for name in ("a.onnx", "folder", "none.tflite")] == [{}, {}, {}]
