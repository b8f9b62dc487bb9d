"""What is known of the values of a sample: its inputs and its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as attribute

BYTES = (0.0, 255.0)
"""The range of a value that is stored as a byte."""


@dataclass(frozen=True)
class Field:
    """What is known of one input or target.

    Args:
        shape: Of one sample, without the batch axis: `(28, 28, 1)`; `()` for a single value. Of a
            sequence it begins with None, any number of steps.
        dtype: Of its batches: `float32`, `int32`, `string`, ….
        classes: Names of the classes in the order of their ids, or None where the value is no class.
        value_range: Least and largest value, where the type of what is stored tells: `(0, 255)` for bytes.
        columns: The columns of the data that the value is made of.
        padding: What stands behind the last step of a sequence in a batch with longer ones; None where it is none.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    classes: tuple[str, ...] | None = None
    value_range: tuple[float, float] | None = None
    columns: tuple[str, ...] = ()
    padding: float | str | None = attribute(default=None, repr=False)  # a setting: no part of a fingerprint

    @property
    def is_image(self) -> bool:
        """Whether the value has a height, a width and channels."""
        return len(self.shape) == 3 and not self.is_sequence

    @property
    def is_sequence(self) -> bool:
        """Whether samples have different numbers of steps, which their first axis counts."""
        return None in self.shape


@dataclass(frozen=True)
class Facts:
    """What a network needs to know of its data.

    Args:
        inputs: By name of the network's input.
        targets: By name of the network's output.
    """

    inputs: Mapping[str, Field]
    targets: Mapping[str, Field]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The least and largest value of those inputs of which the type of what is stored tells them."""
        return {name: field.value_range for name, field in self.inputs.items() if field.value_range is not None}

    @property
    def values(self) -> dict[str, int]:
        """What `$name` stands for in a config: `classes` is the number of classes, where it is one number."""
        counts = {len(field.classes) for field in self.targets.values() if field.classes is not None}
        return {"classes": counts.pop()} if len(counts) == 1 else {}
