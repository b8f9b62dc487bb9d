"""`trainkit init`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    template: Annotated[str, typer.Argument(metavar="[TEMPLATE]", help="Which starter config.")] = "classifier",
    output: Annotated[Path, typer.Option(help="The file to write; one that exists is left alone.")] = Path(
        "config.yaml"
    ),
) -> None:
    """Write a commented starter config."""
    from trainkit.config.templates import write_template

    write_template(template, output)
    print(f"{output}: next: trainkit fit {output}")
