"""`trainkit show`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides
from trainkit.cli.output import check_output


def show(
    config: ConfigFile,
    overrides: Overrides = None,
    output: Annotated[
        Path | None, typer.Option(help="The PNG to write; by default NAME_samples.png.", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option(min=1, max=100, help="Rows of the picture.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=20, help="Epochs shown beside each sample.")] = 5,
    allow_code: AllowCode = False,
) -> None:
    """Draw samples of CONFIG's data, as they are and augmented, with their labels."""
    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())
    filepath = output or Path(f"{loaded.experiment.name}_samples.png")
    check_output(filepath, [".png"])

    from trainkit.training.contact_sheet import write_contact_sheet

    print(write_contact_sheet(loaded, filepath, samples=samples, epochs=epochs))
