"""Trains a config in several ways, in a process of its own: the CPU can be divided before anything is computed only.

    python several_devices.py CONFIG RUNS 'OVERRIDE;OVERRIDE' …

Prints the loss and the metrics of every epoch of each, as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import sys

from rich.console import Console

import trainkit

if __name__ == "__main__":
    config, runs, *ways = sys.argv[1:]
    found = []
    for way in ways:
        run = trainkit.fit(config, way.split(";"), runs=runs, console=Console(file=io.StringIO()))
        rows = csv.DictReader(run.history.read_text().splitlines())
        found.append([{key: float(row[key]) for key in row if key not in ("epoch", "seconds")} for row in rows])
    print(json.dumps(found))
