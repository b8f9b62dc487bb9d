"""`trainkit show`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from trainkit.cli.arguments import AllowCode, Overrides
from trainkit.cli.output import check_output


def show(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG_OR_RUN", help="The YAML file, or a run.", show_default=False)
    ],
    overrides: Overrides = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("."),
    only: Annotated[
        Literal["network", "samples"] | None, typer.Option(help="Draw one of the two.", show_default=False)
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How deep blocks are nested that are folded into one box: 1 folds all. "
            "By default, what keeps the picture readable.",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=100, help="Rows of the picture of samples.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=20, help="Epochs shown beside each sample.")] = 5,
    allow_code: AllowCode = False,
) -> None:
    """Draw the network of CONFIG, and samples of its data as they are and augmented, with their labels.

    Writes NAME_network.svg and NAME_network.png, and NAME_samples.png where the data have images.
    """
    from trainkit.config import load_config
    from trainkit.runs import Run

    source = Run.open(config).resolved if config.is_dir() else config
    loaded = load_config(source, overrides or ())
    name = loaded.experiment.name
    drawings = [output / f"{name}_network{suffix}" for suffix in (".svg", ".png")]
    sheet = output / f"{name}_samples.png"
    for filepath in (*drawings, sheet):
        check_output(filepath, [".svg", ".png"])

    from trainkit.training.contact_sheet import can_draw, write_contact_sheet
    from trainkit.training.network_picture import write_network
    from trainkit.training.prepare import prepare

    prepared = prepare(loaded) if only != "samples" else None
    if prepared:
        blocks = loaded.experiment.model.network.blocks
        for filepath in write_network(prepared.model, drawings, title=name, depth=depth, block_names=blocks):
            print(filepath)
    if only == "samples" or (prepared and only is None and can_draw(prepared.splits.train.facts)):
        splits = prepared.splits if prepared else None
        print(write_contact_sheet(loaded, sheet, samples=samples, epochs=epochs, splits=splits))
