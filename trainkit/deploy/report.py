"""What `deploy` tells a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.deploy.verify import FileReport, Proof
from trainkit.inference.preprocess import FILE_NAME
from trainkit.training.log import say


def print_report(console: Console, proof: Proof, files: Sequence[FileReport], directory: Path) -> None:
    """Show a row for each file, where they stand, and what an app has to do."""
    table = Table(
        title=f"on {proof.samples:,} samples", title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("file", overflow="fold")
    classes = any("accuracy" in values for values in proof.of_model[1].values())
    columns = [
        "bytes",
        "gzipped",
        *(["accuracy", "drop", "agree"] if classes else []),
        *_numbers_columns(proof),
        "verdict",
    ]
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    table.add_row(
        proof.file,
        "",
        "",
        *([_share(proof.accuracy), "", ""] if classes else []),
        *_rmse(proof, proof.of_model[1]),
    )
    for file in files:
        drop = "" if file.drop_points is None else f"{file.drop_points:.2f}"
        table.add_row(
            Text(file.file),
            f"{file.bytes:,}",
            f"{file.gzip_bytes:,}",
            *([_share(file.accuracy), drop, _share(file.parity.agreement)] if classes else []),
            *_rmse(proof, file.outputs),
            "ok" if file.parity.passed else "FAIL",
        )
    console.print(table)
    if classes:
        console.print("drop: accuracy lost, in points; agree: answers equal to the model's", style="dim")
    for line in _for_apps(proof.data):
        say(console, line)
    if (directory / FILE_NAME).exists():
        say(console, f"an app does what {FILE_NAME} says before a .tflite: that holds no texts and no missing numbers")
    say(console, f"files: {directory}")


def _numbers_columns(proof: Proof) -> list[str]:
    several = len(proof.targets) > 1
    return [f"{name} rmse" if several else "rmse" for name in proof.numbers]


def _rmse(proof: Proof, outputs: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [f"{outputs[name]['rmse']:.4g}" if "rmse" in outputs.get(name, {}) else "" for name in proof.numbers]


def _for_apps(data: Mapping[str, Any]) -> Iterator[str]:
    """What an app has to do with an image before it hands it over; `verify.json` says the same."""
    for name, entry in data.get("inputs", {}).items():
        if (image := entry.get("image")) is None:
            continue
        colours = {1: "grey", 3: "RGB", 4: "RGBA"}[image["channels"]]
        smooth = " with antialias" if image["antialias"] else " without antialias"
        yield (
            f"an app gives {name!r}: the image upright (EXIF), {_FITS[image['fit']]} to {image['width']}×"
            f"{image['height']} ({image['method']}{smooth}), {colours}, values 0 to 255"
        )


_FITS = {"stretch": "stretched", "crop": "scaled and cropped in the centre", "pad": "scaled and padded with black"}


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"
