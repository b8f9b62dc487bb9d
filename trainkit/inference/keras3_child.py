"""The child process that reads a file of Keras 3: `python -m trainkit.inference.keras3_child FOLDER`.

The folder holds `request.json` (`file`, `timeout`). The child leaves `network.json`, `weights.npz`, and `inputs.npz`
with the answers to them, `answers.npz`; or `error.json`. In its environment `tf.keras` must not be tf_keras.
"""

from __future__ import annotations

import inspect
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

LENGTHS = (32, 128, 8)
"""What stands for an axis of any length: the first that the network takes."""
SCALES = (1.0, 10.0, 100.0, 0.1)
"""Sizes of the random numbers, one batch each: a network that hardly tells small ones apart may tell large ones."""
SAMPLES = 2
"""In a batch, where the network leaves it open."""
LIMITS = {"Embedding": "input_dim", "CategoryEncoding": "num_tokens"}
"""Layers that take whole numbers below a limit, and the argument that has it."""
MASKED = {"Masking": "mask_value"}
"""Layers that leave out steps which are all one number, and the argument that has it."""
MASKS = {"mask", "query_mask", "key_mask", "value_mask"}
"""Arguments that Keras 3 fills in by itself; the layers of tf_keras do so too."""


def main(folder: Path) -> None:
    """Read the file that the request names, and hand over what it holds."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    try:
        _run(folder, **request)
    except Exception as error:  # all of them are for the parent to report
        message = str(error).strip() or type(error).__name__
        (folder / "error.json").write_text(json.dumps({"message": message}), encoding="utf-8")
        sys.exit(1)


def _run(folder: Path, *, file: str, timeout: float) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # kills even where native code hangs
    signal.setitimer(signal.ITIMER_REAL, timeout)
    keras = import_module("keras")
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    graph = getattr(model, "_functional", model)
    if not hasattr(graph, "_nodes_by_depth"):
        raise ValueError(
            f"{type(model).__name__} {model.name!r} is not Functional, nor Sequential with an input shape."
        )
    network = _Network(keras)
    description = {"name": model.name, **network.read(graph)}
    (folder / "network.json").write_text(json.dumps(description), encoding="utf-8")
    np.savez(folder / "weights.npz", *network.weights())
    inputs, answers = _answer(keras, graph, description)
    np.savez(folder / "inputs.npz", *inputs)
    np.savez(folder / "answers.npz", *answers)


@dataclass(frozen=True)
class _Call:
    operation: Any
    arguments: list[Any]
    keywords: dict[str, Any]
    tensors: set[int]
    outputs: list[int]


@dataclass
class _Network:
    """The graph of a model as plain values: operations, and the calls of them with numbered tensors.

    A model inside the model is replaced by the calls that it makes.
    """

    keras: Any
    calls: list[_Call] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)
    tensors: list[dict[str, Any]] = field(default_factory=list)
    makes_masks: bool = False

    def read(self, graph: Any) -> dict[str, Any]:
        """Describe the graph."""
        text = json.dumps(self.keras.saving.serialize_keras_object(graph))
        self.makes_masks = '"mask_zero": true' in text or '"Masking"' in text
        inputs = self._new(graph.inputs)
        outputs = self._walk(graph, inputs)
        self._drop_unused(outputs)
        self.operations = list({id(call.operation): call.operation for call in self.calls}.values())
        numbers = {id(operation): number for number, operation in enumerate(self.operations)}
        return {
            "tensors": self.tensors,
            "inputs": [_describe_tensor(*pair) for pair in zip(inputs, graph.inputs, strict=True)],
            "outputs": [_describe_tensor(*pair) for pair in zip(outputs, graph.outputs, strict=True)],
            "operations": [self._describe(operation) for operation in self.operations],
            "calls": [
                {
                    "operation": numbers[id(call.operation)],
                    "arguments": call.arguments,
                    "keywords": call.keywords,
                    "outputs": call.outputs,
                }
                for call in self.calls
            ],
        }

    def weights(self) -> list[np.ndarray]:
        """The values of all operations, one after the other."""
        return [_numpy(weight) for operation in self.operations for weight in getattr(operation, "weights", [])]

    def _walk(self, graph: Any, given: list[int], *, frozen: bool = False) -> list[int]:
        """Take down the calls of a graph whose inputs are the given tensors, and return its outputs.

        A layer notes as `training` what it would do by itself; only of a model inside it says what somebody wanted.
        """
        numbers = {id(tensor): number for tensor, number in zip(graph.inputs, given, strict=True)}
        for node in _nodes(graph):
            keywords = _keywords(node)
            arguments = [keywords.pop(name) for name in list(keywords)[:1]]
            is_frozen = keywords.pop("training", None) is False
            keywords = {name: x for name, x in keywords.items() if not self._is_left_out(name, x)}
            taken = [numbers[id(tensor)] for tensor in self._flatten([arguments, keywords])]
            if isinstance(node.operation, self.keras.Model):
                inner = getattr(node.operation, "_functional", node.operation)
                outputs = self._walk(inner, taken, frozen=frozen or is_frozen)
            else:
                if frozen and "training" in inspect.signature(node.operation.call).parameters:
                    keywords["training"] = False
                outputs = self._new(node.outputs)
                plain = self._plain(arguments, numbers), {name: self._plain(x, numbers) for name, x in keywords.items()}
                self.calls.append(_Call(node.operation, *plain, set(taken), outputs))
            numbers |= dict(zip(map(id, node.outputs), outputs, strict=True))
        return [numbers[id(tensor)] for tensor in graph.outputs]

    def _new(self, tensors: list[Any]) -> list[int]:
        self.tensors += [{"shape": tensor.shape, "dtype": tensor.dtype} for tensor in tensors]
        return list(range(len(self.tensors) - len(tensors), len(self.tensors)))

    def _flatten(self, value: Any) -> list[Any]:
        return [item for item in self.keras.tree.flatten(value) if isinstance(item, self.keras.KerasTensor)]

    def _is_left_out(self, name: str, value: Any) -> bool:
        """Whether an argument says nothing, or is a mask that a layer made and nobody passed on by hand."""
        if value is None:
            return True
        makers = [tensor._keras_history[0] for tensor in self._flatten(value)]
        made = makers and not any(isinstance(maker, self.keras.layers.Layer) for maker in makers)
        return bool(self.makes_masks and name in MASKS and made)

    def _plain(self, value: Any, numbers: dict[int, int]) -> Any:
        if isinstance(value, self.keras.KerasTensor):
            return {"tensor": numbers[id(value)]}
        if isinstance(value, list | tuple):
            return [self._plain(item, numbers) for item in value]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if getattr(value, "shape", None) == ():
            return np.asarray(value).item()
        shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
        return {"refused": f"{type(value).__name__}{shape}"}

    def _drop_unused(self, outputs: list[int]) -> None:
        """What made the masks stays behind without a reader."""
        used, kept = set(outputs), []
        for call in reversed(self.calls):
            if used & set(call.outputs):
                kept.append(call)
                used |= call.tensors
        self.calls = kept[::-1]

    def _describe(self, operation: Any) -> dict[str, Any]:
        serialized = self.keras.saving.serialize_keras_object(operation)
        config = serialized["config"]
        if type(operation).__name__ == "Normalization":
            shape = operation._mean_and_var_shape
            config |= {key: _numpy(getattr(operation, key)).reshape(shape).tolist() for key in ("mean", "variance")}
        return {
            "name": operation.name,
            "class_name": serialized["class_name"],
            "module": serialized["module"],
            "config": config,
            "weights": [weight.path for weight in getattr(operation, "weights", [])],
        }


def _nodes(graph: Any) -> Iterator[Any]:
    """The calls of a graph, each after those whose outputs it takes."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from (node for node in graph._nodes_by_depth[depth] if not node.is_input)


def _keywords(node: Any) -> dict[str, Any]:
    """All arguments of a call by their names in Keras 3, in the order of its signature as far as they came by place."""
    names = list(inspect.signature(node.operation.call).parameters)
    places = dict(zip(names, node.arguments.args, strict=False))
    first = {names[0]: node.arguments.kwargs[names[0]]} if names[0] in node.arguments.kwargs else {}
    return places | first | node.arguments.kwargs


def _describe_tensor(number: int, tensor: Any) -> dict[str, Any]:
    operation = tensor._keras_history[0]
    return {"tensor": number, "name": operation.name, "shape": tensor.shape, "dtype": tensor.dtype}


def _numpy(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array if array.dtype.isbuiltin else array.astype(np.float32)  # bfloat16 cannot stand in an .npz


def _answer(keras: Any, graph: Any, description: dict[str, Any]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Random inputs and the answers to them, each with the batches on its first axis."""
    limits, masked = list(_find(description, LIMITS)), list(_find(description, MASKED))
    refusals = []
    for length in LENGTHS:
        inputs = [_draw(tensor, length, limits, masked) for tensor in description["inputs"]]
        try:
            batches = [_call(keras, graph, [array[index] for array in inputs]) for index in range(len(SCALES))]
        except Exception as error:  # an axis too short or too long is one
            refusals.append(error)
        else:
            return inputs, [np.stack(arrays) for arrays in zip(*batches, strict=True)]
        if all(None not in tensor["shape"][1:] for tensor in description["inputs"]):
            break
    raise refusals[0]


def _call(keras: Any, graph: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    given = keras.tree.pack_sequence_as(graph._inputs_struct, arrays)
    return [_numpy(array) for array in keras.tree.flatten(graph(given, training=False))]


def _draw(tensor: dict[str, Any], length: int, limits: list[int], masked: list[float]) -> np.ndarray:
    generator = np.random.default_rng(tensor["tensor"])
    sample = [length if size is None else size for size in tensor["shape"][1:]]
    shape = (len(SCALES), tensor["shape"][0] or SAMPLES, *sample)
    if "float" in tensor["dtype"] and not limits:
        numbers = generator.normal(size=shape) * np.array(SCALES).reshape(-1, *[1] * (len(shape) - 1))
        if masked and len(shape) > 3:
            numbers[generator.random(shape[:3]) < 0.2] = masked[0]
        return numbers.astype(np.float32)
    whole = generator.integers(0, min([2 if tensor["dtype"] == "bool" else 128, *limits]), shape)
    whole[generator.random(shape) < 0.2] = 0  # what `mask_zero` leaves out
    return whole.astype(np.float32 if "float" in tensor["dtype"] else tensor["dtype"])


def _find(value: Any, table: dict[str, str]) -> Iterator[Any]:
    """An argument of all layers of some classes in a description, those inside other layers too."""
    if isinstance(value, dict):
        if value.get("class_name") in table:
            yield value["config"][table[value["class_name"]]]
        yield from (found for item in value.values() for found in _find(item, table))
    elif isinstance(value, list):
        yield from (found for item in value for found in _find(item, table))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
