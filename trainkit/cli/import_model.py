"""`trainkit import`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode
from trainkit.cli.output import check_output


def import_model(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A .keras or .h5 file of tf_keras or Keras 3, a run, or a directory of runs.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The YAML file to write; by default named after the model.", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="CONFIG", help="A config whose `data` and `training` to take over.", show_default=False),
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Write the network of MODEL as a config, without its weights."""
    check_output(output, [".yaml", ".yml"])

    from trainkit.inference.import_network import import_network

    made = import_network(model, output=output, data=data)
    for note in made.notes:
        print(f"note: {note}")
    print(f"{made.filepath}: {made.layers:,} layers, {made.parameters:,} parameters")
    print(f"next: {'' if made.is_complete else 'say what data and training are, then '}trainkit check {made.filepath}")
