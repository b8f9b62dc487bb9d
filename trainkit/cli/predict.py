"""`trainkit predict`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, DataConfig, ModelPath
from trainkit.cli.output import check_output


def predict(
    model: ModelPath,
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT", help="Images, folders of them, .csv, .npy or .npz files.", show_default=False),
    ],
    data: DataConfig = None,
    top: Annotated[int, typer.Option(help="Classes told for each sample.")] = 1,
    output: Annotated[
        Path | None, typer.Option(help="A .csv or .json file to write, instead of a table.", show_default=False)
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Let a run or a model file answer images, tables or arrays."""
    from trainkit.inference.predict import predict as answer
    from trainkit.inference.prediction_report import FORMATS, print_predictions, write_predictions

    check_output(output, FORMATS)
    predictions = list(answer(model, inputs, data=data, top=top))
    if output is None:
        print_predictions(predictions)
    else:
        write_predictions(output, predictions)
