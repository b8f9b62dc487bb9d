"""A .onnx file, timed as ONNX Runtime runs it on the CPU."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from trainkit.errors import PredictionError
from trainkit.inference.layer_names import layer_of, outermost
from trainkit.inference.onnx import _describe, _encode
from trainkit.inference.predictor import reason_of
from trainkit.inference.timing.runtime import steady_mean, whole_batches

_ERRORS_ONLY = 3
_END = "_kernel_time"
FEWEST_RUNS, MOST_RUNS = 5, 2_000
"""Of a profile; a run leaves about 1 KB of trace for each operation."""


class TimedONNX:
    """A .onnx file behind the contract of what is timed: `session.run`.

    Args:
        filepath: A file whose first axis is the batch.
        threads: That ONNX Runtime may use within an operation.

    Raises:
        PredictionError: If ONNX Runtime refuses the file.
    """

    RUNTIME = "ONNX Runtime"

    def __init__(self, filepath: Path, *, threads: int, config: str | None = None) -> None:
        del config
        self._filepath, self._threads = filepath, threads
        self._session = self._open(onnxruntime.SessionOptions())
        self.inputs = {tensor.name: _describe(tensor) for tensor in self._session.get_inputs()}

    def _open(self, options: Any) -> Any:
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = self._threads
        try:
            return onnxruntime.InferenceSession(str(self._filepath), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own errors have no common base
            raise PredictionError(f"it cannot be opened by ONNX Runtime: {reason_of(error)}.") from error

    def feeds(self, inputs: Mapping[str, np.ndarray], batch: int) -> list[dict[str, np.ndarray]]:
        """See `TimedModel.feeds`."""
        return whole_batches({name: _encode(array, self.inputs[name].dtype) for name, array in inputs.items()}, batch)

    def run(self, feed: dict[str, np.ndarray]) -> Any:
        """See `TimedModel.run`."""
        return self._session.run(None, feed)

    def facts(self) -> dict[str, Any]:
        """`weights`, and `operations` by kind as the file has them, before ONNX Runtime fuses some."""
        import onnx

        graph = onnx.load(str(self._filepath)).graph
        weights: Counter[str] = Counter()
        for tensor in graph.initializer:
            array = onnx.numpy_helper.to_array(tensor)
            weights[array.dtype.name] += array.nbytes
        return {"weights": dict(weights), "operations": dict(Counter(node.op_type for node in graph.node))}

    def profile(self, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, Any]:
        """See `TimedModel.profile`."""
        with tempfile.TemporaryDirectory(prefix="trainkit-") as folder:
            options = onnxruntime.SessionOptions()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(folder) / "trace")
            session, feed = self._open(options), self.feeds(inputs, 1)[0]
            runs, began = 0, time.perf_counter()
            while runs < FEWEST_RUNS or (runs < MOST_RUNS and time.perf_counter() - began < seconds):
                session.run(None, feed)
                runs += 1
            events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        return {"operations": _operations(events, runs), "runs": runs - 1}


def _operations(events: list[dict[str, Any]], runs: int) -> list[dict[str, Any]]:
    """The mean of each node over all runs but the first, which allocates."""
    nodes: dict[str, list[int]] = {}
    kinds: dict[str, str] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_END):
            name = event["name"].removesuffix(_END)
            nodes.setdefault(name, []).append(event["dur"])
            kinds[name] = event["args"]["op_name"]
    layers = outermost([layer_of(_before_fusion(name)) for name in nodes])
    return [
        {
            "operation": kinds[name],
            "layer": layer,
            "kernel": name,
            "us": steady_mean(times[len(times) // runs :]),
        }
        for layer, (name, times) in zip(layers, nodes.items(), strict=True)
    ]


def _before_fusion(name: str) -> str:
    """What a node was called before ONNX Runtime fused it with the next: it appends how.

    Example:
        >>> _before_fusion("net/dense/MatMul/MatMulAddFusion"), _before_fusion("net/dense/Relu")
        ('net/dense/MatMul', 'net/dense/Relu')
    """
    before, _, last = name.rpartition("/")
    return before if last.endswith("Fusion") else name
