"""`trainkit zoo`"""

from __future__ import annotations

from typing import Annotated

import typer


def zoo(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print the file of this one.", show_default=False)
    ] = None,
) -> None:
    """List the networks that come with TrainKit, or print one to copy: trainkit zoo ResNet50 > my_net.yaml"""
    from trainkit.config.zoo_header import zoo_headers, zoo_text

    if name is not None:
        print(zoo_text(name), end="")
        return

    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="")
    for column, justify in (("network", "left"), ("input", "left"), ("parameters", "right"), ("what it is", "left")):
        table.add_column(column, justify=justify, no_wrap=column != "what it is")  # type: ignore[arg-type]
    for header in zoo_headers():
        table.add_row(header.name, header.shape, f"{header.parameters:,}", f"{header.summary} ({header.citation})")
    console = Console()
    console.print(table)
    console.print("\nUse one by its name, `- ResNet50: {classes: $classes}`; `trainkit zoo ResNet50` prints its file.")
