"""Kernels that a profiler has seen, matched with the operations of a file."""

from __future__ import annotations

from trainkit.inference.timing.xnnpack import Event, operations_of, stands_for

NODES = [
    ("QUANTIZE", ["tfl.quantize", "serving_default_input:0"]),
    ("CONV_2D", ["net/block/conv/Relu;net/block/conv/BiasAdd", "tfl.quantize"]),
    ("MAX_POOL_2D", ["net/pool/MaxPool", "net/block/conv/Relu"]),
    ("RESHAPE", ["net/flatten/Reshape", "net/pool/MaxPool"]),
    ("FULLY_CONNECTED", ["net/digit/MatMul1", "net/flatten/Reshape"]),
    ("SOFTMAX", ["StatefulPartitionedCall:01", "net/digit/MatMul1"]),
    ("DEQUANTIZE", ["StatefulPartitionedCall:0", "StatefulPartitionedCall:01"]),
]


def kernels(*names):
    return [Event(name, True, index, 0, 10 * (index + 1)) for index, name in enumerate(names)]


RUN = [
    *kernels(
        "Convert (NC)",
        "Convolution (NHWC, QC8) IGEMM",
        "Max Pooling (NHWC, S8)",
        "Static Reshape (NC)",
        "Static Reshape (NC)",
        "Fully Connected (NC, QS8, QC8W) GEMM",
    ),
    Event("SOFTMAX", False, 5, 0, 3),
    *kernels("Convert (NC)"),
]


def test_kernels_are_of_the_layers_that_they_stand_for():
    told = operations_of(RUN, NODES, 1)
    assert [(one["operation"], one["layer"]) for one in told["operations"]] == [
        ("QUANTIZE", ""),
        ("CONV_2D", "block/conv"),
        ("MAX_POOL_2D", "pool"),
        ("RESHAPE", "flatten"),
        ("FULLY_CONNECTED", "digit"),
        ("FULLY_CONNECTED", "digit"),
        ("SOFTMAX", "digit"),
        ("DEQUANTIZE", ""),
    ]
    assert told["undelegated"] == ["SOFTMAX"]


def test_an_operation_that_litert_runs_is_known_by_its_number():
    told = operations_of(RUN, NODES, 1)["operations"][6]
    assert told == {"operation": "SOFTMAX", "layer": "digit", "kernel": "LiteRT", "us": 3.0}


def test_times_are_means_over_the_runs():
    later = [Event(one.name, one.is_kernel, one.index, one.subgraph, one.us + 4) for one in RUN]
    told = operations_of([*RUN, *later], NODES, 2)
    assert [one["us"] for one in told["operations"]] == [one.us + 2 for one in RUN]
    assert told["runs"] == 2


def test_a_kernel_that_stands_for_nothing_known_has_no_layer():
    events = kernels("Fourier Transform (NC)", "Convolution (NHWC, F32) IGEMM")
    told = operations_of(events, NODES[1:2], 1)["operations"]
    assert [one["layer"] for one in told] == ["", "block/conv"]


def test_a_helper_belongs_to_the_kernel_that_follows():
    events = kernels("Convert (NC, F32, QDU8)", "Convolution (NHWC, QDU8, F32, QC8W) IGEMM")
    told = operations_of(events, NODES[1:2], 1)["operations"]
    assert [one["layer"] for one in told] == ["block/conv", "block/conv"]


def test_an_operation_that_was_fused_away_leaves_the_others_where_they_belong():
    nodes = [("PAD", ["net/pad/Pad"]), ("CONV_2D", ["net/a/Conv"]), ("CONV_2D", ["net/b/Conv"])]
    told = operations_of(kernels("Convolution (NHWC, F32)", "Convolution (NHWC, F32)"), nodes, 1)["operations"]
    assert [one["layer"] for one in told] == ["a", "b"]


def test_a_convolution_of_single_pixels_is_a_fully_connected_kernel():
    nodes = [
        *[("CONV_2D", ["net/expand/Conv"]), ("DEPTHWISE_CONV_2D", ["net/depthwise/Conv"])],
        *[("CONV_2D", ["net/project/Conv"]), ("FULLY_CONNECTED", ["net/digit/MatMul"])],
    ]
    fully = "Fully Connected (NC, F32) GEMM"
    events = kernels(fully, "Convolution (NHWC, F32) DWConv", fully, "Static Reshape (NC)", fully)
    told = operations_of(events, nodes, 1)["operations"]
    assert [one["layer"] for one in told] == ["expand", "depthwise", "project", "digit", "digit"]


def test_parts_that_a_layer_names_itself_are_of_the_layer():
    nodes = [("EXPAND_DIMS", ["net/conv1d/Conv1D/ExpandDims"]), ("CONV_2D", ["net/conv1d/BiasAdd"])]
    events = [Event("EXPAND_DIMS", False, 0, 0, 1), *kernels("Convolution (NHWC, F32) IGEMM")]
    assert [one["layer"] for one in operations_of(events, nodes, 1)["operations"]] == ["conv1d", "conv1d"]


def test_kernels_inside_a_loop_are_left_out_and_the_loop_counts():
    nodes = [("WHILE", ["net/lstm/while"]), ("FULLY_CONNECTED", ["net/digit/MatMul"])]
    events = [
        *kernels("Fully Connected (NC, F32) GEMM"),
        Event("ADD", False, 3, 1, 50),
        Event("WHILE", False, 0, 0, 60),
    ]
    told = operations_of(events, nodes, 1)
    assert [(one["layer"], one["us"]) for one in told["operations"]] == [("lstm", 60)]


def test_names_that_are_those_of_the_operation_match():
    assert stands_for("Transpose (ND, X8)", "TRANSPOSE")
    assert not stands_for("Fully Connected (NC, F32) GEMM", "DEPTHWISE_CONV_2D")
