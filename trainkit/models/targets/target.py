"""Where a file is to run, and what a layer lacks there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Target(Enum):
    """Where a file is to run."""

    TFLITE = "tflite"
    INT8 = "tflite-int8"
    GPU = "tflite-gpu"
    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"


@dataclass(frozen=True)
class Lack:
    """What stands in the way of a layer.

    Args:
        operations: Those of the file that the target does not have, or that stay in real numbers.
        cure: What helps.
        rule: What the layer would have to be, a sentence without its subject, where no operation is to blame: it is
            told in place of what the target does, and no `exclude` mends it.
    """

    operations: tuple[str, ...]
    cure: str
    rule: str = ""


_TOLD = {
    Target.TFLITE: "cannot be in a .tflite",
    Target.INT8: "stays in real numbers in an int8 file",
    Target.GPU: "is left to the CPU, all or in part",
    Target.ONNX: "cannot be in an .onnx",
    Target.ONNX_INT8: "cannot be int8 in an .onnx",
}


@dataclass(frozen=True)
class Finding:
    """A layer that a target does not run as it should.

    Args:
        target: Where it cannot run: of a layer that no .tflite holds, `TFLITE` whatever was asked; of one that no .onnx
            holds, `ONNX`.
        layer: The name of the layer.
        class_name: As Keras spells it; of the layer inside, if it is a wrapper.
        operations: Those that stand in the way, as far as they have names.
        cure: What helps, a sentence.
        rule: See `Lack`.
    """

    target: Target
    layer: str
    class_name: str
    operations: tuple[str, ...]
    cure: str
    rule: str = ""

    def __str__(self) -> str:
        operations = f" ({', '.join(self.operations)})" if self.operations else ""
        return f"{self.class_name} {self.rule or f'{_TOLD[self.target]}{operations}.'} {self.cure}"
