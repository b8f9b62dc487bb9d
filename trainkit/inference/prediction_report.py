"""Predictions for a person, or as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trainkit.errors import PredictionError
from trainkit.inference.predict import Prediction
from trainkit.inference.prediction_table import to_csv, to_json, to_row
from trainkit.runs import write_text

FORMATS = {".csv": to_csv, ".json": to_json}
"""What predictions are written as, by suffix."""


def write_predictions(filepath: Path, predictions: Sequence[Prediction]) -> None:
    """Write predictions as CSV or JSON, whole or not at all."""
    write_text(filepath, FORMATS[filepath.suffix](predictions))
    Console().print(f"{filepath}: {len(predictions):,} predictions", markup=False, highlight=False, soft_wrap=True)
    _tell_errors(predictions)


def print_predictions(predictions: Sequence[Prediction]) -> None:
    """Show a table, a row a sample."""
    rows = [to_row(prediction) for prediction in predictions]
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "error"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="left" if column == "sample" else "right")
    for row in rows:
        if not row["error"]:
            table.add_row(*(Text(_shown(row.get(column, ""))) for column in columns))
    Console().print(table)
    _tell_errors(predictions)


def _tell_errors(predictions: Sequence[Prediction]) -> None:
    """Name the samples that have no answer; that none has is an error."""
    bad = [prediction for prediction in predictions if prediction.error]
    for prediction in bad:
        line = f"no answer: {prediction.sample}: {prediction.error}"
        Console(stderr=True).print(line, markup=False, highlight=False, soft_wrap=True)
    if bad and len(bad) == len(predictions):
        raise PredictionError(f"none of {len(bad):,} samples could be answered.")


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
