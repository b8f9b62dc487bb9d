"""Arrays in NumPy's .npz files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from trainkit.data.array_files import Stored, read_npz
from trainkit.data.array_records import make_source
from trainkit.data.array_sequences import with_lengths
from trainkit.data.records import Source, Splits
from trainkit.errors import DataError
from trainkit.registry import did_you_mean

TARGETS = ("y", "label", "labels", "target", "targets")
"""Names of an array that is learned where nothing else is said."""

_KERAS = {part: {name: f"{name}_{part}" for name in ("x", "y")} for part in ("train", "test")}


def npz(
    *,
    path: Path,
    test: Path | None = None,
    validation: Path | None = None,
    target: str | None = None,
    classes: list[str] | None = None,
) -> Source:
    """Arrays of .npz files: each is a column, its first axis counts the samples.

    A file with `x_train` and `y_train` has the columns `x` and `y`, and their test samples in `x_test` and `y_test`,
    like the files of Keras' data sets. Images `(samples, height, width)` get a channel axis where the network wants
    one.

    An array beside which there is one of its name with `_lengths` (`x` and `x_lengths`, `x_train` and
    `x_train_lengths`) holds sequences: its first axis counts the steps of all samples, one sample after the other, and
    the lengths say how many of them each sample has.

    Args:
        path: The training file.
        test: The test file, with the same arrays.
        validation: The validation file, with the same arrays.
        target: The array to learn; by default the one called `y`, `label`, `labels`, `target` or `targets`. Whole
            numbers in 1 dimension are class ids, floating-point numbers are learned as numbers.
        classes: Names of the classes in the order of their ids; by default `"0"` to the largest training label.

    Returns:
        A column for each array, in the dtype it is stored in; float64 as float32.

    Raises:
        DataError: If a file cannot be read, its arrays are not of one length, or the files have different ones.
    """
    train, own_test = _read(path)
    if test is not None and own_test is not None:
        raise DataError(
            f"`test` must be left out where {path} has test samples, {_listed(_KERAS['test'].values())}. Received: "
            f"test={str(test)!r}."
        )
    parts = Splits(
        train,
        None if validation is None else _read_like(train, path, validation),
        own_test if test is None else _read_like(train, path, test),
    )
    return make_source(parts, target=_choose_target(train, target, classes), classes=classes)


def _read(filepath: Path) -> tuple[Mapping[str, Stored], Mapping[str, Stored] | None]:
    """The training arrays, and the test arrays that stand beside them."""
    stored = with_lengths(read_npz(filepath))
    if not set(_KERAS["train"].values()) <= stored.keys():
        return stored, None
    known = [name for names in _KERAS.values() for name in names.values()]
    unknown = [name for name in stored if name not in known]
    missing = [name for name in known if name not in stored]
    if unknown or len(missing) == 1:
        came = _listed(unknown) + " too" if unknown else f"no {missing[0]!r}"
        raise DataError(
            f"{filepath} must hold {', '.join(known)} and nothing else, or one array a column. Received: {came}. "
            "Samples for validation or test can have files of their own."
        )
    train, test = ({name: stored[key] for name, key in names.items() if key in stored} for names in _KERAS.values())
    return train, test or None


def _read_like(train: Mapping[str, Stored], path: Path, filepath: Path) -> Mapping[str, Stored]:
    stored = with_lengths(read_npz(filepath))
    if stored.keys() != train.keys():
        raise DataError(f"{filepath} must hold the arrays of {path}: {_listed(train)}. Received: {_listed(stored)}.")
    return stored


def _choose_target(train: Mapping[str, Stored], given: str | None, classes: list[str] | None) -> str | None:
    if given is not None and given not in train:
        raise DataError(
            f"`target` must be an array of the file: {_listed(train)}. Received: target={given!r}."
            f"{did_you_mean(given, train)}"
        )
    found = [name for name in TARGETS if name in train]
    target = found[0] if given is None and len(found) == 1 else given
    if target is None and classes is not None:
        raise DataError(
            f"`classes` must name the classes of one array. Received: arrays {_listed(train)}, no `target`. Set "
            "`target` to the one that holds the labels."
        )
    return target


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
