"""TrainKit: one YAML file becomes a trained Keras model, and files for phones that are proved right."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

if TYPE_CHECKING:
    from trainkit.config.custom_code import allow_code, register
    from trainkit.deploy.benchmark import benchmark
    from trainkit.deploy.deploy import deploy
    from trainkit.errors import ConfigError, TrainKitError
    from trainkit.inference import load
    from trainkit.inference.predict import predict
    from trainkit.training import fit
    from trainkit.training.evaluate import evaluate
    from trainkit.training.rate_finder import find_learning_rate

__version__ = version("trainkit")
__all__ = [
    "ConfigError",
    "TrainKitError",
    "__version__",
    "allow_code",
    "benchmark",
    "deploy",
    "evaluate",
    "find_learning_rate",
    "fit",
    "load",
    "predict",
    "register",
]

_PUBLIC = {
    "allow_code": "trainkit.config.custom_code",
    "register": "trainkit.config.custom_code",
    "fit": "trainkit.training",
    "find_learning_rate": "trainkit.training.rate_finder",
    "deploy": "trainkit.deploy.deploy",
    "benchmark": "trainkit.deploy.benchmark",
    "load": "trainkit.inference",
    "predict": "trainkit.inference.predict",
    "evaluate": "trainkit.training.evaluate",
    "ConfigError": "trainkit.errors",
    "TrainKitError": "trainkit.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'trainkit' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
