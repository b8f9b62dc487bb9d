"""What a .tflite tells of itself, and how bytes are put into it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from trainkit.inference.tflite_graph import TFLiteGraph

_SHARES, _CASTS = ("SOFTMAX", "LOGISTIC"), ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class Edge:
    """An input or output.

    Args:
        name: That of the signature.
        dtype: Of the tensor: `float32`, `uint8`.
        units: The length of its last axis; None where any goes.
        scale: Of a quantized tensor: value = scale × (integer - zero_point).
        zero_point: Of a quantized tensor.
        is_share: Whether a softmax or sigmoid makes it.
    """

    name: str
    dtype: str
    units: int | None
    scale: float | None
    zero_point: int | None
    is_share: bool


class TFLiteFile:
    """The content of a .tflite with one signature.

    Args:
        content: As the converter writes it.
    """

    def __init__(self, content: bytes) -> None:
        self._file = TFLiteGraph(content)
        self._model = self._file.model
        (signature,) = self._model.signatureDefs
        self._place = signature.subgraphIndex
        self._graph = self._model.subgraphs[self._place]
        own = (one for one in self._file.operations if one.subgraph == self._place)
        self._makers = {index: operation for operation in own for index in operation.outputs}
        self.inputs = list(self._edges(self._graph.inputs, signature.inputs))
        self.outputs = list(self._edges(self._graph.outputs, signature.outputs))

    def types_text(self) -> str:
        """What it holds by type: `constants int8 (5 tensors), int32 (5); activations int8 (9); input float32; …`."""
        held, passed = Counter[str](), Counter[str]()
        edges = {int(index) for index in [*self._graph.inputs, *self._graph.outputs]}
        for place, tensors in enumerate(self._file.tensors):
            for index, tensor in enumerate(tensors):
                if tensor.is_constant:
                    held[tensor.dtype] += 1
                elif place != self._place or index not in edges:
                    passed[tensor.dtype] += 1
        parts = [f"{word} {_counted(counts)}" for word, counts in {"constants": held, "activations": passed}.items()]
        for word, sides in {"input": self.inputs, "output": self.outputs}.items():
            parts.append(f"{word} {', '.join(dict.fromkeys(edge.dtype for edge in sides))}")
        return "; ".join(parts)

    def share_constants(self) -> None:
        """Let constants of the same bytes be one: those of a layer that is written step by step stand in each step."""
        held = {number: bytes(buffer.data) for number, buffer in enumerate(self._model.buffers) if _is_held(buffer)}
        first: dict[bytes, int] = {}
        for tensor in (tensor for graph in self._model.subgraphs for tensor in graph.tensors):
            if tensor.buffer in held:
                tensor.buffer = first.setdefault(held[tensor.buffer], tensor.buffer)
        for number in held.keys() - set(first.values()) - {entry.buffer for entry in self._model.metadata or []}:
            self._model.buffers[number].data = None

    def with_metadata(self, name: str, data: bytes) -> bytes:
        """The content with one more entry of metadata; all else is as before."""
        self._model.buffers.append(schema.BufferT(data=np.frombuffer(data, np.uint8)))
        entry = schema.MetadataT(name=name, buffer=len(self._model.buffers) - 1)
        self._model.metadata = [*(self._model.metadata or []), entry]
        return self._file.pack()

    def _edges(self, indices: Sequence[int], named: Sequence[Any]) -> Iterator[Edge]:
        """Inputs or outputs in the order of the graph, which is not that of the signature."""
        free = list(named)
        for index in indices:
            entry = next(entry for entry in free if entry.tensorIndex == index)
            free.remove(entry)  # the same tensor may be two outputs
            tensor = self._graph.tensors[index]
            shape = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
            last = int(shape[-1]) if shape is not None and len(shape) else -1
            units = None if last < 0 else last
            dtype = self._file.tensor(index, self._place).dtype
            yield Edge(entry.name.decode(), dtype, units, *_quantization(tensor), self._is_share(int(index)))

    def _is_share(self, index: int) -> bool:
        maker = self._makers.get(index)
        if maker is None:
            return False
        return maker.kind in _SHARES or (maker.kind in _CASTS and self._is_share(maker.inputs[0]))


def append_files(content: bytes, files: Mapping[str, str]) -> bytes:
    """Put a zip archive after a .tflite, which its interpreters do not look at.

    The files are stored, not compressed: an app reads them in the mapped model. Their dates are fixed, so that the same
    files give the same bytes.

    Args:
        content: The .tflite.
        files: Texts by file name.

    Returns:
        Both, the places in the archive counted from the start of the .tflite.
    """
    whole = io.BytesIO()
    whole.write(content)
    with zipfile.ZipFile(whole, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)  # of 1980
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.encode(), zipfile.ZIP_STORED)
    return whole.getvalue()


def _is_held(buffer: Any) -> bool:
    return buffer.data is not None and len(buffer.data) > 0


def _quantization(tensor: Any) -> tuple[float | None, int | None]:
    scales = None if tensor.quantization is None else tensor.quantization.scale
    if scales is None or len(scales) == 0:
        return None, None
    return float(scales[0]), int(tensor.quantization.zeroPoint[0])


def _counted(counts: Counter[str]) -> str:
    first, *others = counts.most_common() or [("none", 0)]
    tensors = f"{first[0]} ({first[1]} {'tensor' if first[1] == 1 else 'tensors'})" if first[1] else "none"
    return ", ".join([tensors, *(f"{name} ({count})" for name, count in others)])
