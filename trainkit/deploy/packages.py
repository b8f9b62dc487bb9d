"""The packages that make files and run them: what is kept of a deploy, what is told of it, and what times hold for."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

from trainkit.training.record import PACKAGES

RUNNERS = ("keras", "ai-edge-litert", "onnxruntime")
"""That run files, besides those of training; `keras` is Keras 3."""
DEPLOY_PACKAGES = ("tensorflow-model-optimization", "tf2onnx", "onnx", *RUNNERS)
"""That compress, write and run files, besides those of training."""
ALL_PACKAGES = (*PACKAGES, *DEPLOY_PACKAGES)


def installed(packages: Iterable[str]) -> dict[str, str]:
    """The versions of those packages that there are.

    Example:
        >>> list(installed(["numpy", "no-such-package"]))
        ['numpy']
    """
    versions = {}
    for package in packages:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
