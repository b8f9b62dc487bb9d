"""What zeros in one layer after the other cost before any training, as an SVG.

    trainkit deploy RUN "deploy.compress=[Prune: {sparsity: auto, epochs: 1}]" "deploy.export=[ONNX]"
    python benchmarks/sensitivity_picture.py docs/compression/layers.svg RUN [RUN …]

Draws what `Prune` with `sparsity: auto` measured of each layer and left in the compression.json of each run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from pictures import save_picture

MOST = 20.0
"""Percent of errors up to which it is drawn."""


def read(run: Path) -> tuple[str, dict[str, Any]]:
    """The name of a network and what was measured before its first round."""
    steps = json.loads((run / "deploy/compression.json").read_text())["steps"]
    found = [step["facts"]["rounds"][0]["sensitivity"] for step in steps if "rounds" in step.get("facts", {})]
    if not found:
        raise SystemExit(f"RUN must have been pruned with `sparsity: auto`. Received: {run}.")
    return run.parent.name, found[0]


def draw(axes: Any, name: str, measured: dict[str, Any]) -> None:
    """One network: a curve for each of its kernels, broken where the name is not that of a convolution."""
    before = 100 - 100 * measured["accuracy"]
    for kernel in measured["kernels"]:
        zeros = [0.0, *(100 * share for share in kernel["zeros"])]
        errors = [before, *(100 - 100 * accuracy for accuracy in kernel["accuracy"])]
        is_convolution = "conv" in kernel["layer"]
        axes.plot(zeros, errors, "-" if is_convolution else "--", label=kernel["layer"], linewidth=1)
    axes.set(ylim=(0, MOST), xlabel="zeros of the kernel, %", ylabel="validation error, %", title=name)
    axes.legend(fontsize=6, loc="upper left", ncols=2)
    axes.grid(alpha=0.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    options = parser.parse_args()
    networks = [read(run) for run in options.runs]
    rows = (len(networks) + 1) // 2
    figure = Figure(figsize=(9, 3.4 * rows), layout="constrained")
    places = list(figure.subplots(rows, 2, squeeze=False).flat)
    for axes, network in zip(places, networks, strict=False):
        draw(axes, *network)
    for axes in places[len(networks) :]:
        axes.remove()
    save_picture(figure, options.picture)


if __name__ == "__main__":
    main()
