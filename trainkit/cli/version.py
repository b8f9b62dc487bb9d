"""`trainkit --version`"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import typer

PACKAGES = (
    "trainkit",
    "tensorflow",
    "tf-keras",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "ai-edge-litert",
    "numpy",
    "pydantic",
)


def print_version(asked: bool) -> None:
    """Print the versions of TrainKit and of what it stands on, and exit."""
    if not asked:
        return
    print(f"python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        try:
            print(f"{package} {version(package)}")
        except PackageNotFoundError:
            print(f"{package} is not installed")
    raise typer.Exit
