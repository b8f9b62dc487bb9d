"""Predictions as rows of a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from trainkit.inference.predict import Prediction


def to_row(prediction: Prediction) -> dict[str, Any]:
    """A prediction as one row; with several outputs, columns have the name of the output in front.

    Example:
        >>> to_row(Prediction("a.png", {"digit": [("7", 0.9), ("1", 0.1)]}))
        {'sample': 'a.png', 'class': '7', 'probability': 0.9, 'class_2': '1', 'probability_2': 0.1, 'error': ''}
    """
    row: dict[str, Any] = {"sample": prediction.sample}
    several = len(prediction.classes) + len(prediction.numbers) > 1
    for output, best in prediction.classes.items():
        front = f"{output}_" if several else ""
        for rank, (name, share) in enumerate(best, 1):
            end = f"_{rank}" if rank > 1 else ""
            row |= {f"{front}class{end}": name, f"{front}probability{end}": share}
    for output, values in prediction.numbers.items():
        for index, value in enumerate(values):
            is_alone = len(values) == 1 and output not in ("sample", "error")  # which are columns already
            row[output if is_alone else f"{output}_{index}"] = value
    return row | {"error": prediction.error}


def to_csv(predictions: Iterable[Prediction]) -> str:
    """A line a sample, after a line with the names of the columns."""
    rows = [to_row(prediction) for prediction in predictions]
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "error"))
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, [*columns, "error"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def to_json(predictions: Iterable[Prediction]) -> str:
    """A list of predictions, one a line."""
    lines = ",\n".join(json.dumps(asdict(prediction), ensure_ascii=False) for prediction in predictions)
    return f"[\n{lines}\n]\n"
