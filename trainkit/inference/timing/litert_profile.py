"""The time of each operation of a .tflite file, by the profiler of LiteRT's own library.

The Python package of LiteRT has no profiler, but its library has one with a C interface, and XNNPACK tells it of each
of its kernels. The layout of an event is that of the versions in `KNOWN`; of others nothing is read.

Reference:
    LiteRT, litert/c/litert_profiler.h and litert/c/litert_compiled_model.h.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ai_edge_litert
import numpy as np

from trainkit.errors import PredictionError
from trainkit.inference.timing.xnnpack import Event, operations_of
from trainkit.native import quiet_stderr

KNOWN = ("2.3.",)
"""Versions of ai-edge-litert whose events have the layout of `_Event`."""
FEWEST_RUNS, MOST_RUNS = 5, 2_000
NOTE = "XNNPACK tells whole microseconds, rounded down: an operation of less than one shows as 0"

_CPU, _WRITE = 1, 1
_OPERATOR, _KERNEL = 1 << 1, 1 << 3
"""Types of events: an operation of the graph that LiteRT has run by itself, a kernel of a delegate."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("type", ctypes.c_int32),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_int64 * 6),
        ("index", ctypes.c_uint64),
        ("subgraph", ctypes.c_uint64),
        ("source", ctypes.c_int32),
    )


class _TensorType(ctypes.Structure):
    _fields_ = (
        ("element", ctypes.c_int32),
        ("rank", ctypes.c_uint32),
        ("lengths", ctypes.c_int32 * 8),
        ("strides", ctypes.c_uint32 * 8),
    )


def profile(
    filepath: Path,
    inputs: Mapping[str, np.ndarray],
    nodes: list[tuple[str, list[str]]],
    *,
    threads: int,
    seconds: float,
) -> dict[str, Any]:
    """Time the operations of a file at batch 1.

    Args:
        filepath: A .tflite file.
        inputs: One sample, as the file takes it, by name in the signature.
        nodes: What each operation of the file is, and the names that tell its layer.
        threads: That XNNPACK may use.
        seconds: How long.

    Returns:
        See `TimedModel.profile`; also `undelegated`, the operations that XNNPACK has not taken.
    """
    installed = version("ai-edge-litert")
    if not installed.startswith(KNOWN):
        note = f"LiteRT {installed} has no profiler that TrainKit knows; it knows that of {KNOWN[0]}x"
        return {"operations": [], "runs": 0, "note": note}
    with quiet_stderr():
        model = _Profiled(filepath, inputs, threads)
        for _ in range(FEWEST_RUNS):
            model.run()
        events, runs, began = [], 0, time.perf_counter()
        while runs < FEWEST_RUNS or (runs < MOST_RUNS and time.perf_counter() - began < seconds):
            events += model.events()
            runs += 1
    return operations_of(events, nodes, runs) | {"note": NOTE}


class _Profiled:
    """A file opened by LiteRT's C interface, with its profiler; it lives as long as its process."""

    def __init__(self, filepath: Path, inputs: Mapping[str, np.ndarray], threads: int) -> None:
        self._library = ctypes.CDLL(str(Path(ai_edge_litert.__file__).with_name("libLiteRt.so")))
        environment = self._new("LiteRtCreateEnvironment", 0, None)
        model = self._new("LiteRtCreateModelFromFile", environment, str(filepath).encode())
        options = self._options(threads)
        self._compiled = self._new("LiteRtCreateCompiledModel", environment, model, options)
        self._profiler = self._new("LiteRtCompiledModelGetProfiler", self._compiled)
        signature = self._new("LiteRtGetModelSignature", model, _size(0))
        self._inputs = self._buffers(
            "Input", environment, signature, lambda name, buffer: self._fill(inputs[name], buffer)
        )
        self._outputs = self._buffers("Output", environment, signature, lambda name, buffer: None)

    def run(self) -> None:
        """Let it answer once."""
        given, taken = self._inputs, self._outputs
        self._call(
            "LiteRtRunCompiledModel", self._compiled, _size(0), _size(len(given)), given, _size(len(taken)), taken
        )

    def events(self) -> list[Event]:
        """Let it answer once, and what the profiler has seen."""
        self._call("LiteRtResetProfiler", self._profiler)
        self._call("LiteRtStartProfiler", self._profiler)
        self.run()
        self._call("LiteRtStopProfiler", self._profiler)
        count = ctypes.c_int()
        self._call("LiteRtGetNumProfilerEvents", self._profiler, ctypes.byref(count))
        records = (_Event * count.value)()
        self._call("LiteRtGetProfilerEvents", self._profiler, count, records)
        return [
            Event(
                (one.tag or b"").decode(errors="replace"), one.type == _KERNEL, one.index, one.subgraph, one.elapsed_us
            )
            for one in records
            if one.type in (_OPERATOR, _KERNEL)
        ]

    def _options(self, threads: int) -> ctypes.c_void_p:
        options = self._new("LiteRtCreateOptions")
        self._call("LiteRtSetOptionsHardwareAccelerators", options, _CPU)
        runtime = ctypes.CDLL(None)
        runtime.strdup.restype, runtime.strdup.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        free = ctypes.cast(runtime.free, ctypes.c_void_p)
        texts = {"runtime_options_string": "enable_profiling = true\n", "xnnpack": f"num_threads = {threads}\n"}
        for name, text in texts.items():
            copy = ctypes.c_void_p(runtime.strdup(text.encode()))
            added = self._new("LiteRtCreateOpaqueOptions", name.encode(), copy, free)
            self._call("LiteRtAddOpaqueOptions", options, added)
        return options

    def _buffers(
        self, kind: str, environment: Any, signature: Any, fill: Callable[[str, ctypes.c_void_p], None]
    ) -> ctypes.Array[ctypes.c_void_p]:
        count = ctypes.c_size_t()
        self._call(f"LiteRtGetNumSignature{kind}s", signature, ctypes.byref(count))
        buffers = (ctypes.c_void_p * count.value)()
        for index in range(count.value):
            name = self._new(f"LiteRtGetSignature{kind}Name", signature, _size(index))
            tensor = self._new(f"LiteRtGetSignature{kind}TensorByIndex", signature, _size(index))
            described = _TensorType()
            self._call("LiteRtGetRankedTensorType", tensor, ctypes.byref(described))
            if described.lengths[0] < 0:
                described.lengths[0] = 1
            needed = self._new(
                f"LiteRtGetCompiledModel{kind}BufferRequirements", self._compiled, _size(0), _size(index)
            )
            create = "LiteRtCreateManagedTensorBufferFromRequirements"
            buffer = self._new(create, environment, ctypes.byref(described), needed)
            fill(ctypes.string_at(name).decode(), buffer)
            buffers[index] = buffer.value
        return buffers

    def _fill(self, values: np.ndarray, buffer: ctypes.c_void_p) -> None:
        values = np.ascontiguousarray(values)
        size = ctypes.c_size_t()
        self._call("LiteRtGetTensorBufferPackedSize", buffer, ctypes.byref(size))
        if size.value != values.nbytes:
            raise PredictionError(f"LiteRT's library wants {size.value} bytes for an input of {values.nbytes}.")
        address = ctypes.c_void_p()
        self._call("LiteRtLockTensorBuffer", buffer, ctypes.byref(address), _WRITE)
        ctypes.memmove(address, values.ctypes.data, values.nbytes)
        self._call("LiteRtUnlockTensorBuffer", buffer)

    def _new(self, function: str, *arguments: Any) -> ctypes.c_void_p:
        """What a function makes: its last argument is where it leaves that."""
        made = ctypes.c_void_p()
        self._call(function, *arguments, ctypes.byref(made))
        return made

    def _call(self, function: str, *arguments: Any) -> None:
        status = getattr(self._library, function)(*arguments)
        if status != 0:
            raise PredictionError(f"LiteRT's library refuses to profile it: {function} gives status {status}.")


def _size(value: int) -> ctypes.c_size_t:
    return ctypes.c_size_t(value)
