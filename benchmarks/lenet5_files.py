"""LeNet-5 of `configs/sample_lenet5.yaml` as files, for the benchmarks of what runs them; it is not trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit import __version__
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.calibration import calibration_samples
from trainkit.deploy.export import EXPORTERS, ExportContext, file_name
from trainkit.models import build_model

CONFIG = Path(__file__).parents[1] / "configs/sample_lenet5.yaml"
FLOAT32: Mapping[str, Any] = {"TFLite": {"precision": "float32"}}
INT8: Mapping[str, Any] = {"TFLite": {"precision": "int8"}}
ONNX: Mapping[str, Any] = {"ONNX": {}}


def export_lenet5(folder: Path, exports: Iterable[Mapping[str, Any]]) -> tuple[list[Path], np.ndarray]:
    """Write the network in several formats.

    Args:
        folder: Where the files go.
        exports: A name of `EXPORTERS` and its arguments each.

    Returns:
        The files, and all 10,000 training and validation digits: uint8, shape `(10000, 28, 28, 1)`.
    """
    config = load_config(CONFIG)
    splits = load_data(config)
    model = build_model(config.experiment.model, splits.train.facts.values, name="lenet5", line_of=config.line_of)
    context = ExportContext("lenet5", None, lambda count: calibration_samples(splits.train, count, seed=1), __version__)
    files = []
    for export in exports:
        ((exporter, arguments),) = export.items()
        filepath = folder / file_name(exporter, arguments, "lenet5")
        files.append(EXPORTERS.get(exporter)(model, filepath, context=context, **arguments))
    parts = [splits.train, splits.validation]
    images = [next(iter(part.first_inputs(part.size).values())) for part in parts if part is not None]
    return files, np.concatenate(images)
