"""Models that were made elsewhere: how they are read, and which config describes their data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainkit.config import Config, Document, load_config, read_document
from trainkit.errors import ConfigError, InputError, PredictionError
from trainkit.inference.predictor import Predictor, TensorFacts

_UNSAID = "MeanSquaredError"
"""Stands for the losses where the config has no `training`: nobody trains, so nothing of it is used."""


def read_model(filepath: Path) -> Any:
    """Read a .keras or .h5 file of tf_keras or of Keras 3.

    Returns:
        A `tf.keras.Model`.

    Raises:
        InputError: If there is no such file, or it cannot be read.
    """
    from trainkit.inference.keras import KerasPredictor

    if not filepath.is_file():
        raise InputError(f"`filepath` must be a model file. Received: {str(filepath)!r}, which does not exist.")
    try:
        return KerasPredictor(filepath).model
    except PredictionError as error:
        raise InputError(str(error)) from error


def load_data_config(source: Path | str, model: Predictor, filepath: Path, overrides: Iterable[str] = ()) -> Config:
    """A config that says which data a model is for; its network is what the model itself tells.

    Args:
        source: A YAML file with `version` and `data`; `name` is by default that of the file, `model` is not used, and
            of `training` only loss and metrics are.
        model: The model.
        filepath: Its file.
        overrides: `KEY=VALUE` texts, which win over the file.

    Raises:
        ConfigError: If the config is wrong, or names other inputs and outputs than the model has.
    """
    document = read_document(source, overrides)
    if isinstance(document.data, dict):
        document.data["model"] = _describe(document, model)
        several = len(model.outputs) > 1
        document.data.setdefault("training", {"loss": dict.fromkeys(model.outputs, _UNSAID) if several else _UNSAID})
        document.data.setdefault("name", _name(filepath))
    return load_config(document)


def says_loss(config: Config) -> bool:
    """Whether a config says which loss and metrics a model is measured by."""
    return ("training",) in config.document.values


def _describe(document: Document, model: Predictor) -> dict[str, Any]:
    """The `model:` section for a network that is there already: its inputs, and a layer for each output."""
    inputs = {name: {"shape": _sample(facts, document), "dtype": _dtype(facts)} for name, facts in model.inputs.items()}
    first = next(iter(inputs))
    layers = [{"Activation": {"activation": "linear"}, "name": name, "inputs": first} for name in model.outputs]
    return {"inputs": inputs, "layers": layers, "outputs": list(model.outputs)}


def _name(filepath: Path) -> str:
    return re.sub("[^A-Za-z0-9_.-]", "_", filepath.stem).lstrip("_.-") or "model"


def _sample(facts: TensorFacts, document: Document) -> list[int | None]:
    if len(facts.shape) < 2:
        raise ConfigError(document.source, [document.problem(("data",), f"the model has an input {facts.shape}.")])
    return list(facts.shape[1:])


def _dtype(facts: TensorFacts) -> str:
    return facts.dtype if facts.dtype in ("int32", "int64", "string") else "float32"
