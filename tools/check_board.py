"""Check that TensorBoard shows a run: every tag, every value of its history, its config, its graph.

python tools/check_board.py runs/sample_lenet5/001 --screenshots /tmp/pages
"""

from __future__ import annotations

import argparse
import csv
import html
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np

from trainkit.runs import Run

PAGES = {
    "timeseries": "?tagFilter=epoch_#timeseries",
    "scalars": "#scalars&tagFilter=epoch_",
    "text": "#text",
    "graphs": "#graphs",
    "histograms": "#histograms",
}
SECONDS_TO_LOAD = 30
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-3d-apis",  # charts drawn by WebGL come too late for the picture: without it they are SVG
    *("--window-size=1400,1200", "--virtual-time-budget=20000"),
)
SECONDS_FOR_A_PAGE = 120


class Board:
    """The answers of TensorBoard's HTTP API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def text(self, path: str, **query: str) -> str:
        """The answer to a request."""
        with urlopen(f"{self.address}data/{path}?{urlencode(query)}", timeout=20) as response:
            return response.read().decode()

    def json(self, path: str, **query: str) -> Any:
        """The answer to a request that is answered by JSON."""
        return json.loads(self.text(path, **query))

    def scalars(self, run: str, tag: str) -> dict[int, float]:
        """The values of a tag by step."""
        return {step: value for _, step, value in self.json("plugin/scalars/scalars", run=run, tag=tag)}


@contextmanager
def board(run: Run) -> Iterator[Board]:
    """`trainkit board` on a run, in a child process."""
    entry = [sys.executable, "-c", "from trainkit.cli import main; main()"]
    command = [*entry, "board", str(run.directory), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        line = child.stdout.readline()
        if not line:
            sys.exit(child.wait())
        try:
            yield Board(next(word for word in line.split() if word.startswith("http://")))
        finally:
            child.terminate()


def main(directory: str, screenshots: Path | None) -> int:
    run = Run.open(directory)
    with board(run) as served:
        wait_for_values(served, run)
        checks = check(served, run)
        if screenshots is not None:
            checks |= take_screenshots(served, screenshots)
    for told, holds in checks.items():
        print(f"{'ok  ' if holds else 'FAIL'} {told}")
    return 0 if all(checks.values()) else 1


def wait_for_values(served: Board, run: Run) -> None:
    """TensorBoard reads the files after it has begun to answer."""
    name = "/".join(run.directory.absolute().parts[-2:])
    until = time.monotonic() + SECONDS_TO_LOAD
    while time.monotonic() < until:
        if f"{name}/train" in served.json("runs"):
            return
        time.sleep(0.2)
    sys.exit(f"TensorBoard shows no run named {name}/train. Received: {served.json('runs')}")


def check(served: Board, run: Run) -> dict[str, bool]:
    name = "/".join(run.directory.absolute().parts[-2:])
    rows = list(csv.DictReader(run.history.read_text().splitlines()))
    checks = {f"tags: {tag} of {shown}": tag in tags for shown, tag, tags in expected_tags(served, name, rows)}
    for column in value_columns(rows):
        shown, tag = where(column, name)
        expected = {int(row["epoch"]): float(np.float32(row[column])) for row in rows}
        checks[f"values: {tag} of {shown} are history.csv's {column}, {len(rows)} epochs"] = same(
            served.scalars(shown, tag), expected
        )
    checks |= check_throughput(served, run, name, rows)
    config = html.unescape(served.json("plugin/text/text", run=f"{name}/train", tag="config")[0]["text"])
    checks["text: the config is resolved.yaml"] = run.resolved.read_text().strip() in config
    if f"{name}/train" in served.json("plugin/graphs/info"):
        graph = served.text("plugin/graphs/graph", run=f"{name}/train", tag="keras", conceptual="true")
        checks[f"graph: {graph.count('node {')} layers"] = "node {" in graph
    return checks


def value_columns(rows: list[dict[str, str]]) -> list[str]:
    return [column for column in rows[0] if column not in ("epoch", "seconds")]


def where(column: str, name: str) -> tuple[str, str]:
    """The run and the tag that a column of the history is shown under."""
    split = "validation" if column.startswith("val_") else "train"
    return f"{name}/{split}", f"epoch_{column.removeprefix('val_')}"


def expected_tags(served: Board, name: str, rows: list[dict[str, str]]) -> Iterator[tuple[str, str, list[str]]]:
    """Each run, a tag that it must have, and those that it has."""
    scalars, texts = served.json("plugin/scalars/tags"), served.json("plugin/text/tags")
    for column in value_columns(rows):
        shown, tag = where(column, name)
        yield shown, tag, scalars.get(shown, [])
    yield f"{name}/train", "epoch_samples_per_second", scalars.get(f"{name}/train", [])
    yield f"{name}/train", "config", texts.get(f"{name}/train", [])


def check_throughput(served: Board, run: Run, name: str, rows: list[dict[str, str]]) -> dict[str, bool]:
    """Images a second are the samples over the seconds of the history, which has milliseconds."""
    samples = run.read_manifest()["data"]["samples"]["train"]
    expected = {int(row["epoch"]): samples / float(row["seconds"]) for row in rows}
    shortest = min(float(row["seconds"]) for row in rows)
    received = served.scalars(f"{name}/train", "epoch_samples_per_second")
    return {"values: epoch_samples_per_second are samples/seconds": same(received, expected, tolerance=1e-3 / shortest)}


def same(received: dict[int, float], expected: dict[int, float], *, tolerance: float = 0.0) -> bool:
    return received.keys() == expected.keys() and all(
        math.isclose(received[step], expected[step], rel_tol=tolerance) for step in expected
    )


def take_screenshots(served: Board, folder: Path) -> dict[str, bool]:
    """A picture of every page that has something to show."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        return {"screenshots: Chromium is missing. On Debian: apt-get install chromium": False}
    folder.mkdir(parents=True, exist_ok=True)
    plugins = served.json("plugins_listing")
    checks = {}
    for page, address in PAGES.items():
        if plugins.get(page, {}).get("enabled"):
            filepath = folder / f"{page}.png"
            checks[f"screenshot: {filepath}"] = take_screenshot(chromium, f"{served.address}{address}", filepath)
    return checks


def take_screenshot(chromium: str, address: str, filepath: Path) -> bool:
    filepath.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *OPTIONS, f"--user-data-dir={profile}", f"--screenshot={filepath.absolute()}", address]
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS_FOR_A_PAGE)
    return filepath.is_file()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="a run directory")
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures of the pages; needs Chromium")
    arguments = parser.parse_args()
    sys.exit(main(arguments.run, arguments.screenshots))
