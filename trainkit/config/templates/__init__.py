"""The starter configs of `trainkit init`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from trainkit.errors import InputError, OutputError
from trainkit.registry import did_you_mean


def template_names() -> list[str]:
    """The starter configs there are."""
    return sorted(item.name.removesuffix(".yaml") for item in files(__name__).iterdir() if item.name.endswith(".yaml"))


def write_template(name: str, filepath: Path) -> None:
    """Write a starter config to a file that does not exist yet.

    Raises:
        InputError: If there is no such template, or the file exists.
        OutputError: If the file cannot be written.
    """
    names = template_names()
    if name not in names:
        raise InputError(f"unknown template {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}.")
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    try:
        with filepath.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{filepath} exists and is left alone. Name another file with --output.") from None
    except OSError as error:
        raise OutputError(f"{filepath} cannot be written: {error.strerror}.") from error
