"""int8 by quantization-aware training and by calibration, against float models of as many epochs.

    TRAINKIT_DATA=… python benchmarks/quantization_accuracy.py --seeds 1 2 3

For each seed the config is trained once; its model is then trained on for as many epochs as `Quantize` takes, with
rounding and without, by the same optimizer, rate and order of the samples. Printed are the test accuracies: of the
float model, of that trained on, of the int8 file with rounding trained, of the int8 file by calibration alone;
how many answers of each file are those of the model it was made from; and the means over the seeds.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.steps import EPOCHS_APART
from trainkit.inference.keras import KerasPredictor
from trainkit.training.evaluation import evaluate
from trainkit.training.fine_tune import FineTuning
from trainkit.training.outputs import outputs_of

CONFIG = Path(__file__).parents[1] / "configs/fashion_mobilenet.yaml"
COLUMNS = ("float", "float trained on", "aware", "aware agrees", "calibrated", "calibrated agrees")


def measure(config: Path, seed: int, overrides: list[str], folder: Path) -> list[float]:
    quiet = Console(file=io.StringIO())
    run = trainkit.fit(config, [f"seed={seed}", *overrides], runs=folder, console=quiet)
    first = json.loads(run.metrics.read_text())["test"]["accuracy"]
    loaded = load_config(run.resolved)
    (step,) = loaded.experiment.deploy.compress
    splits = load_data(loaded)
    model = copy_model(KerasPredictor(run.model).model)
    FineTuning(loaded, splits, quiet, first_epoch=EPOCHS_APART)(model, epochs=step.arguments["epochs"])
    outputs = outputs_of(loaded.experiment, splits.train.facts)
    trained_on = evaluate(KerasPredictor(model), splits.test, outputs, None)["accuracy"]
    export = "deploy.export=[TFLite: {precision: int8}]"
    (aware,) = trainkit.deploy(run.directory, [export], console=quiet).files
    (calibrated,) = trainkit.deploy(run.directory, [export, "deploy.compress=[]"], console=quiet).files
    files = [value for file in (aware, calibrated) for value in (file.accuracy, file.parity.agreement)]
    return [first, trained_on, *files]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("overrides", nargs="*", help="KEY=VALUE")
    arguments = parser.parse_args()
    print("seed  " + "  ".join(COLUMNS), flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            rows.append(measure(arguments.config, seed, arguments.overrides, Path(folder)))
            show(str(seed), rows[-1])
    means = np.mean(rows, axis=0)
    show("mean", means)
    print(f"aware training loses {100 * (means[1] - means[2]):.2f} points to the float model trained on")
    print(f"calibration loses {100 * (means[0] - means[4]):.2f} points to the float model")


def show(name: str, values: list[float]) -> None:
    cells = (f"{value:>{len(column)}.2%}" for column, value in zip(COLUMNS, values, strict=True))
    print(f"{name:<4}  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
