"""A .tkz file -> a .keras file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainkit.errors import InputError, PredictionError
from trainkit.runs import replace_file


@dataclass(frozen=True)
class Unpacked:
    """A .keras file that was made of a .tkz file.

    Args:
        filepath: The file.
        parameters: Of the model.
        ratio: Its bytes by those of the .tkz file.
    """

    filepath: Path
    parameters: int
    ratio: float


def unpack_file(filepath: Path | str, *, output: Path | None = None) -> Unpacked:
    """Write the model of a .tkz file as a .keras file.

    Args:
        filepath: A .tkz file.
        output: The file to write; by default it stands beside it.

    Returns:
        What was written.

    Raises:
        InputError: If there is no such file, it is no .tkz file, it is damaged, or `output` exists.
        OutputError: If the file cannot be written.
    """
    filepath = Path(filepath)
    if not filepath.is_file() or filepath.suffix != ".tkz":
        what = "which is no such file" if filepath.is_file() else "which does not exist"
        raise InputError(f"`file` must be a .tkz file. Received: {str(filepath)!r}, {what}.")
    output = output or filepath.with_suffix(".keras")
    if output.exists():
        raise InputError(f"{output} exists and is left alone. Name another file with --output.")

    from trainkit.inference.tkz import read_tkz

    try:
        model = read_tkz(filepath)
    except PredictionError as error:
        received = f"{str(filepath)!r}, {filepath.stat().st_size:,} bytes"
        raise InputError(f"`file` must be a whole .tkz file. Received: {received}. {error} Copy it again.") from error
    with replace_file(output) as temporary:
        model.save(temporary, save_format="keras")
    return Unpacked(output, model.count_params(), output.stat().st_size / filepath.stat().st_size)
