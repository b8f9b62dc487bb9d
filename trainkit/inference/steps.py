"""Steps that a file cannot hold, done to a column before: a category becomes an id, a missing number is filled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainkit.errors import InputError


@dataclass(frozen=True)
class Lookup:
    """A category becomes its id.

    Args:
        vocabulary: The known categories, texts or integers.
        offset: Id of the first of them.
        default: Id of any other, or None where there must be no other.
        mask: The category that stands for none, whose id is 0; None where there is none.
    """

    KEY: ClassVar = "lookup"
    vocabulary: tuple[Any, ...]
    offset: int = 0
    default: int | None = None
    mask: str | int | None = None

    @property
    def ids(self) -> dict[Any, int]:
        """Category to id."""
        masked = {} if self.mask is None else {self.mask: 0}
        return {value: index + self.offset for index, value in enumerate(self.vocabulary)} | masked

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Ids, int32, of the same shape."""
        ids = self.ids
        if array.dtype.kind not in "UOS":
            with np.errstate(invalid="ignore"):  # a missing number becomes an integer that nobody has
                array = array.astype(np.int64)
        found = [ids.get(value, self.default) for value in array.ravel().tolist()]
        if None in found:
            unknown = array.ravel().tolist()[found.index(None)]
            raise InputError(f"a category must be one of {list(ids)}. Received: {unknown!r}.")
        return np.array(found, np.int32).reshape(array.shape)


@dataclass(frozen=True)
class FillMissing:
    """A missing number (NaN) becomes the value of its feature.

    Args:
        values: One a feature.
    """

    KEY: ClassVar = "fill_missing"
    values: tuple[float, ...]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """float32, of the same shape."""
        return np.where(np.isnan(array), np.asarray(self.values, np.float32), array).astype(np.float32)


@dataclass(frozen=True)
class Normalize:
    """A number becomes `(number - subtract) / divide_by`.

    Args:
        subtract: One value a feature.
        divide_by: One value a feature.
    """

    KEY: ClassVar = "normalize"
    subtract: tuple[float, ...]
    divide_by: tuple[float, ...]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """float32, of the same shape."""
        subtract, divide_by = np.asarray(self.subtract, np.float32), np.asarray(self.divide_by, np.float32)
        return (array.astype(np.float32) - subtract) / divide_by


Step = Lookup | FillMissing | Normalize
STEPS: Mapping[str, type[Step]] = {step.KEY: step for step in (Lookup, FillMissing, Normalize)}
