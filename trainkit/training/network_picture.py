"""A picture of the network of a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from trainkit.models.drawing import draw_network
from trainkit.runs import replace_file

NO_NAMES: Mapping[str, str] = {}


def write_network(
    model: Any,
    filepaths: Sequence[Path],
    *,
    title: str,
    depth: int | None = None,
    block_names: Mapping[str, str] = NO_NAMES,
) -> Sequence[Path]:
    """Draw a network, all files whole or none at all.

    Args:
        model: A `tf.keras.Model`.
        filepaths: The `.svg` and `.png` files to write.
        title: Stands above the network.
        depth: How deep blocks are nested that are folded; see `trainkit.models.drawing.draw_network`.
        block_names: The class of a block by its path.

    Returns:
        `filepaths`.

    Raises:
        OutputError: If a file cannot be written.
    """
    with ExitStack() as stack:
        temporary = [stack.enter_context(replace_file(filepath)) for filepath in filepaths]
        draw_network(model, temporary, title=title, depth=depth, block_names=block_names)
    return filepaths
