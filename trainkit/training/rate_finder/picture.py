"""A picture of the loss by learning rate."""

from __future__ import annotations

from pathlib import Path

from trainkit.training.rate_finder.curve import RateCurve

SMOOTHED, SINGLE, STEEPEST, SAFE = "#1f5592", "#b9c3cd", "#b0560f", "#3d7d4c"


def draw_curve(curve: RateCurve, filepath: Path, *, title: str) -> None:
    """Draw the loss of each update, the smoothed one, and the rates that follow, as SVG.

    Args:
        curve: What was found.
        filepath: Where to write.
        title: Stands above.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    FigureCanvasSVG(figure)
    axis = figure.subplots()
    axis.plot(curve.rates, curve.losses, ".", color=SINGLE, markersize=4, label="an update")
    axis.plot(curve.rates, curve.smoothed, color=SMOOTHED, linewidth=2, label="smoothed")
    found = (("steepest descent", curve.steepest, STEEPEST), ("highest safe", curve.highest_safe, SAFE))
    for name, rate, colour in found:
        if rate is not None:
            axis.axvline(rate, color=colour, linewidth=1.2, linestyle="--", label=f"{name}: {rate:.2g}")
    axis.set_xscale("log")
    axis.set_xlabel("learning rate")
    axis.set_ylabel("loss after the update")
    axis.set_title(title, fontsize=11, loc="left")
    axis.legend(loc="best", fontsize=9, frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(filepath, format="svg", metadata={"Date": None})
