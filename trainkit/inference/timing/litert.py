"""A .tflite file, timed as LiteRT runs it on a device: with XNNPACK where that takes the operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from trainkit.errors import PredictionError
from trainkit.inference.predictor import reason_of
from trainkit.inference.tflite import SIGNATURE, _describe, _encode
from trainkit.inference.timing.runtime import whole_batches
from trainkit.native import quiet_stderr

Feed = list[tuple[int, np.ndarray]]
"""The index of an input tensor, and its values."""


class TimedLiteRT:
    """A .tflite file behind the contract of what is timed: `set_tensor`, `invoke`, `get_tensor`.

    Args:
        filepath: A file with the signature `serving_default`.
        threads: That LiteRT may use.

    Raises:
        PredictionError: If the interpreter refuses the file.
    """

    RUNTIME = "LiteRT"

    def __init__(self, filepath: Path, *, threads: int, config: str | None = None) -> None:
        del config
        self._filepath, self._threads = filepath, threads
        try:
            with quiet_stderr():  # it tells of every delegate
                self._interpreter = Interpreter(str(filepath), num_threads=threads)
                self._interpreter.allocate_tensors()
                runner = self._interpreter.get_signature_runner(SIGNATURE)
        except (ValueError, RuntimeError, TypeError) as error:
            raise PredictionError(f"it cannot be opened by LiteRT: {reason_of(error)}.") from error
        self._details = runner.get_input_details()
        self._outputs = [detail["index"] for detail in runner.get_output_details().values()]
        self.inputs = {name: _describe(detail) for name, detail in self._details.items()}
        self._shapes = {name: list(map(int, detail["shape"])) for name, detail in self._details.items()}

    def feeds(self, inputs: Mapping[str, np.ndarray], batch: int) -> list[Feed]:
        """See `TimedModel.feeds`."""
        encoded = {name: _encode(array, self.inputs[name]) for name, array in inputs.items()}
        batches = whole_batches(encoded, batch)
        self._resize({name: list(array.shape) for name, array in batches[0].items()})
        return [[(self._details[name]["index"], array) for name, array in one.items()] for one in batches]

    def run(self, feed: Feed) -> list[np.ndarray]:
        """See `TimedModel.run`."""
        for index, array in feed:
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def facts(self) -> dict[str, Any]:
        """`weights`, `operations` by kind, and `delegates`: how many parts of the graph XNNPACK has taken."""
        from trainkit.inference.tflite_graph import TFLiteGraph  # and with it the whole schema

        kinds = Counter(operation["op_name"] for operation in self._interpreter._get_ops_details())
        delegates = kinds.pop("DELEGATE", 0)
        weights = TFLiteGraph(self._filepath.read_bytes()).weights()
        return {"weights": weights, "operations": dict(kinds), "delegates": delegates}

    def profile(self, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, Any]:
        """See `TimedModel.profile`."""
        from trainkit.inference.timing.litert_profile import profile  # which loads LiteRT's own library

        encoded = {name: _encode(array, self.inputs[name])[:1] for name, array in inputs.items()}
        return profile(self._filepath, encoded, self._nodes(), threads=self._threads, seconds=seconds)

    def _nodes(self) -> list[tuple[str, list[str]]]:
        """What each operation is, and what the tensors are called that tell its layer: what it gives, then takes."""
        names = {tensor["index"]: tensor["name"] for tensor in self._interpreter.get_tensor_details()}
        operations = [one for one in self._interpreter._get_ops_details() if one["op_name"] != "DELEGATE"]
        return [
            (one["op_name"], [names[index] for index in (*one["outputs"], *one["inputs"]) if index in names])
            for one in operations
        ]

    def _resize(self, shapes: Mapping[str, list[int]]) -> None:
        if shapes == self._shapes:
            return
        try:
            with quiet_stderr():
                for name, shape in shapes.items():
                    self._interpreter.resize_tensor_input(self._details[name]["index"], shape)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise PredictionError(f"it does not take inputs of {list(shapes.values())}: {reason_of(error)}.") from error
        self._shapes = dict(shapes)
