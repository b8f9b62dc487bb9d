"""The metrics of a run or a model file on the samples of its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from trainkit.data import describe, load_data
from trainkit.errors import InputError
from trainkit.inference.locate import locate
from trainkit.inference.outside import says_loss
from trainkit.training.evaluation import evaluate as measure
from trainkit.training.outputs import outputs_of
from trainkit.training.record import check_data

Role = Literal["train", "validation", "test"]


def evaluate(path: Path | str, *, data: Path | str | None = None, split: Role | None = None) -> dict[str, Any]:
    """Measure a model, whatever its format, by one piece of code.

    Args:
        path: A run, a directory of runs (the newest), or a .keras, .h5, .tkz, .tflite, .onnx file or SavedModel.
        data: The config of its data, for a file that belongs to no run.
        split: Which samples; by default the test samples, or the validation samples where there are none.

    Returns:
        `file`, `split`, and what `metrics.json` of a run holds for a split.

    Raises:
        InputError: If there is no such model or split, or nobody says which data it is for.
        RunError: If the data of a run have changed since it was trained.
        PredictionError: If the file cannot be run.
    """
    found = locate(path, data=Path(data) if data else None)
    config = found.config()
    splits = load_data(config)
    if data is not None:
        found.check_meaning(describe(config.experiment, splits.train.facts))
    elif found.run is not None:
        check_data(found.run, splits, cure=f"`--data {found.run.resolved}` measures on them as they are now.")
    role = split or ("test" if splits.test is not None else "validation" if splits.validation is not None else "train")
    if role not in splits.present:
        raise InputError(f"`split` must be one of {', '.join(splits.present)}. Received: split={role!r}.")
    outputs = outputs_of(config.experiment, splits.train.facts)
    judge = config.experiment if says_loss(config) else None
    measured = measure(found.predictor, splits.present[role], outputs, judge)
    return {"file": str(found.filepath), "split": role} | measured
