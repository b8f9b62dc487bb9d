"""Which file is recommended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainkit.deploy.page.files import FileFacts, read_files
from trainkit.deploy.page.summary import choose_file

(PLAIN,) = read_files({"files": [{"file": "a_float32.tflite", "precision": "float32", "parity": {"passed": True}}]})


def file(name, size, *, precision="float32", drop=0.0, passed=True) -> FileFacts:
    return replace(PLAIN, name=name, bytes=size, precision=precision, drop_points=drop, passed=passed)


FLOAT, INT8 = file("a_float32.tflite", 1_700), file("a_int8.tflite", 453, precision="int8", drop=0.1)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([FLOAT, INT8], "a_int8.tflite"),
        ([FLOAT, INT8, file("a_dynamic.tflite", 446, precision="dynamic")], "a_int8.tflite"),
        ([FLOAT, INT8, file("a_dynamic.tflite", 300, precision="dynamic")], "a_dynamic.tflite"),
        ([FLOAT, replace(INT8, passed=False)], "a_float32.tflite"),
        ([FLOAT, replace(INT8, drop_points=0.6)], "a_float32.tflite"),
        ([file("a.onnx", 100), FLOAT], "a_float32.tflite"),
        ([file("a.onnx", 100), replace(FLOAT, passed=False)], "a.onnx"),
        ([replace(FLOAT, drop_points=2.0), replace(INT8, drop_points=3.0)], "a_float32.tflite"),
    ],
    ids=["smallest", "integers", "much smaller", "passed", "accurate", "for phones", "others", "least loss"],
)
def test_recommended_file(files, expected):
    assert choose_file(files).file.name == expected


ISLANDS = replace(INT8, islands=("conv1", "stem*"))
ONNX_INT8 = replace(INT8, name="a_int8.onnx", facts={"float_operations": ["Mul of layer 'rescaling1'"]})
SAME = file("a_dynamic.tflite", 453, precision="dynamic")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            [INT8, SAME],
            "…files for phones that answer like the model, it computes with integers only.",
        ),
        ([ISLANDS, SAME], "…, it computes with integers, but for conv1, stem*."),
        ([ONNX_INT8, file("a.onnx", 453)], "…, it computes with integers, but for 1 operation on real numbers."),
        ([SAME, file("a_float16.tflite", 453, precision="float16")], "…, it is the lightest: dynamic."),
        ([INT8, FLOAT], "The smallest file for phones that answers like the model."),
    ],
    ids=["integers", "islands", "onnx", "real numbers", "alone"],
)
def test_reason_says_of_integers_what_is_so(files, reason):
    assert choose_file(files).reason.endswith(reason.removeprefix("…"))


def test_no_file_is_recommended_where_none_passed():
    choice = choose_file([replace(FLOAT, passed=False)])
    assert choice.file is None
    assert "none of them should be shipped" in choice.reason
