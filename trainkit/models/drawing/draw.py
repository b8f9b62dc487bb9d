"""A model -> pictures of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trainkit.models.drawing.items import Network, boxes_of
from trainkit.models.drawing.layout import lay_out
from trainkit.models.drawing.network import network_of
from trainkit.models.drawing.palette import FOLDED
from trainkit.models.drawing.picture import Picture, compose
from trainkit.models.drawing.png import write_png
from trainkit.models.drawing.svg import write_svg

NONE: Mapping[str, str] = MappingProxyType({})
_WRITERS = {".svg": write_svg, ".png": write_png}


def draw_network(
    model: Any,
    filepaths: Sequence[Path],
    *,
    title: str,
    depth: int | None = None,
    block_names: Mapping[str, str] = NONE,
) -> None:
    """Draw the network of a model: layers as boxes, blocks as frames around them, what each takes as arrows.

    Args:
        model: A functional or sequential `tf.keras.Model`. The dots in the names of its layers part the names of the
            blocks that they are in: `stage2.bottleneck1.conv2d3`.
        filepaths: Files to write, each a `.svg` or a `.png`.
        title: Stands above the network.
        depth: Blocks that are nested so deep are folded into one box each: 1 folds all blocks; by default, the deepest
            that keeps the picture readable.
        block_names: The class of a block by its path, shown with its name.

    Raises:
        ValueError: If a file is neither `.svg` nor `.png`.
    """
    for filepath in filepaths:
        if filepath.suffix not in _WRITERS:
            raise ValueError(f"`filepaths` must end with .svg or .png. Received: {str(filepath)!r}.")
    picture = picture_of(model, title=title, depth=depth, block_names=block_names)
    for filepath in filepaths:
        _WRITERS[filepath.suffix](picture, filepath)


def picture_of(model: Any, *, title: str, depth: int | None, block_names: Mapping[str, str]) -> Picture:
    """The picture of a network; see `draw_network`."""
    network = network_of(model, depth=depth, block_names=block_names)
    wires = lay_out(network)
    return compose(network, wires, title, _facts(network, model))


def _facts(network: Network, model: Any) -> list[str]:
    layers = len({id(call.layer) for call in network.calls.values() if not call.is_input})
    parameters = model.count_params()
    facts = [f"{layers:,} layer{'s' if layers != 1 else ''}, {parameters:,} parameters"]
    folded = sum(box.family == FOLDED for box in boxes_of(network.items))
    if folded:
        blocks = f"{folded:,} block{'s are' if folded != 1 else ' is'} folded"
        facts.append(f"{blocks}: --depth {network.depth + 1} opens {'them' if folded != 1 else 'it'}.")
    return facts
