"""Arrays in NumPy's .npy files."""

from __future__ import annotations

from pathlib import Path

from trainkit.data.array_files import Stored, read_npy
from trainkit.data.array_records import make_source
from trainkit.data.records import Source, Splits
from trainkit.errors import DataError


def npy(
    *,
    inputs: Path,
    targets: Path,
    test_inputs: Path | None = None,
    test_targets: Path | None = None,
    classes: list[str] | None = None,
) -> Source:
    """Two arrays from .npy files, the first axis of each counts the samples.

    Images `(samples, height, width)` get a channel axis where the network wants one.

    Args:
        inputs: The training inputs.
        targets: The training targets. Whole numbers in 1 dimension are class ids, floating-point numbers are learned
            as numbers.
        test_inputs: The test inputs.
        test_targets: The test targets.
        classes: Names of the classes in the order of their ids; by default `"0"` to the largest training label.

    Returns:
        The columns `input` and `target`, in the dtype they are stored in; float64 as float32.

    Raises:
        DataError: If a file cannot be read, or inputs and targets are not of one length.
    """
    train = _read(inputs, targets)
    if test_inputs is None and test_targets is None:
        return make_source(Splits(train), target="target", classes=classes)
    if test_inputs is None or test_targets is None:
        raise DataError(
            "`test_inputs` and `test_targets` must be given together. Received: "
            f"test_inputs={_shown(test_inputs)}, test_targets={_shown(test_targets)}."
        )
    return make_source(Splits(train, test=_read(test_inputs, test_targets)), target="target", classes=classes)


def _read(inputs: Path, targets: Path) -> dict[str, Stored]:
    return {"input": read_npy(inputs), "target": read_npy(targets)}


def _shown(filepath: Path | None) -> str:
    return repr(None if filepath is None else str(filepath))
