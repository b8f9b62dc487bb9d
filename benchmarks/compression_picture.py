"""The bytes of .tkz files against test errors, beside what papers tell, as an SVG.

    python benchmarks/compression_picture.py docs/compression/rate.svg [CONFIG …] [--seeds 1 2 3] [--runs DIRECTORY]

Draws what `compression.py` left in the same directory of runs. A config says by its name which network it is of.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compression import CONFIGS, jobs_of
from matplotlib.figure import Figure
from pictures import save_picture

NETWORKS = {"LeNet-300-100": "mnist_lenet300_", "LeNet-5 (Caffe)": "mnist_lenet5_"}
PAPERS: dict[str, list[tuple[str, int, float]]] = {
    "LeNet-300-100": [("Deep Compression, 2016", 27_000, 1.58), ("Oktay et al., 2020", 8_560, 1.9)],
    "LeNet-5 (Caffe)": [
        ("Deep Compression, 2016", 44_000, 0.74),
        ("Weightless, 2018", 4_520, 1.0),
        ("Oktay et al., 2020", 2_840, 1.0),
        ("MIRACLE, 2019", 3_030, 0.69),
        ("MIRACLE, 2019", 1_520, 0.96),
    ],
}
"""Bytes and test errors that papers tell."""


def draw(axes: Any, network: str, rows: Sequence[dict[str, Any]]) -> None:
    """One network: papers grey, each config a color, each seed a point."""
    for index, (name, size, error) in enumerate(PAPERS[network]):
        place = (0, -12 if index % 2 else 7)  # neighbors do not stand in one another's way
        axes.plot(size, error, "o", color="0.6")
        axes.annotate(name, (size, error), place, textcoords="offset points", fontsize=7, color="0.4", ha="center")
    for index, config in enumerate(dict.fromkeys(row["config"] for row in rows)):
        sizes, errors = ([row[key] for row in rows if row["config"] == config] for key in ("bytes", "after"))
        label = config.removeprefix(NETWORKS[network])
        axes.plot(sizes, errors, "D", color=f"C{index}", label=label, markersize=5)
    axes.margins(y=0.15)
    axes.set(xscale="log", xlim=(7e2, 1e5), xlabel="bytes of the file", ylabel="test error, %", title=network)
    axes.legend(fontsize=7, loc="upper right")
    axes.grid(alpha=0.3, which="both")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument(
        "configs", nargs="*", type=Path, metavar="CONFIG", help="By default all of configs/compression."
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--runs", type=Path, default=Path("runs/compression"))
    options = parser.parse_args()
    configs = options.configs or sorted(CONFIGS.glob("*.yaml"))
    jobs = jobs_of(configs, options.seeds, options.runs)
    done = [job for job in jobs if (job.directory / "deploy/verify.json").is_file()]
    rows = [row for job in done for row in job.rows() if row["file"] == ".tkz"]
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    for axes, (network, prefix) in zip(figure.subplots(1, 2), NETWORKS.items(), strict=True):
        draw(axes, network, [row for row in rows if row["config"].startswith(prefix)])
    save_picture(figure, options.picture)


if __name__ == "__main__":
    main()
