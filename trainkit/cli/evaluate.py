"""`trainkit evaluate`"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, DataConfig, ModelPath
from trainkit.cli.output import check_output


class Role(StrEnum):
    """The parts of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def evaluate(
    model: ModelPath,
    data: DataConfig = None,
    split: Annotated[
        Role | None, typer.Option(help="Which samples; by default test, or validation without one.", show_default=False)
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A .json file to write as well, with all figures.", show_default=False)
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Measure a run or a model file on the samples of its data."""
    check_output(output, [".json"])
    from rich.console import Console

    from trainkit.runs import write_json
    from trainkit.training.evaluate import evaluate as measure
    from trainkit.training.report import print_evaluation

    result = measure(model, data=data, split=split.value if split else None)
    print_evaluation(Console(), result)
    if output is not None:
        write_json(output, result)
