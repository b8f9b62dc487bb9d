"""`trainkit unpack`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode
from trainkit.cli.output import check_output


def unpack(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A .tkz file.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The .keras file to write; by default named after FILE.", show_default=False
        ),
    ] = None,
    allow_code: AllowCode = False,
) -> None:
    """Make a .keras file of FILE again, with every weight as it was."""
    check_output(output, [".keras"])

    from trainkit.inference.unpack import unpack_file

    made = unpack_file(file, output=output)
    told = f"{made.parameters:,} parameters, {made.filepath.stat().st_size:,} bytes"
    print(f"{made.filepath}: {told}, {made.ratio:.0f} times those of {file.name}")
