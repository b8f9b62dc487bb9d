"""Dense layers in low rank: how many weights fewer, and how much error more.

    TRAINKIT_DATA=… python benchmarks/low_rank_dense.py --config configs/mnist_lenet5.yaml --layer dense1 --ranks 87 30

For each seed the config is trained once. Its layer is then factored to each rank by `LowRank`, and trained on for
`--epochs`. Printed are, as Denton et al. (2014) do in table 2: rank, weights of the layer by those of its factors, and
the points of test error that are added: as factored, and after training. The same training without factors is beside
it, so that what factors cost is not what training on gains.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from pathlib import Path

import numpy as np
from interleaved import print_place, print_table
from rich.console import Console

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.deploy.calibration import calibration_samples
from trainkit.deploy.compress import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.low_rank import low_rank
from trainkit.inference.keras import KerasPredictor
from trainkit.training.evaluation import evaluate
from trainkit.training.fine_tune import FineTuning
from trainkit.training.outputs import outputs_of

CONFIG = Path(__file__).parents[1] / "configs/mnist_lenet5.yaml"


class Bench:
    """A trained network, and what is done with it.

    Args:
        config: Of the run.
        model: As it was trained.
    """

    def __init__(self, config, model):
        self._splits = load_data(config)
        self._tuning = FineTuning(config, self._splits, Console(file=io.StringIO()))
        self._outputs = outputs_of(config.experiment, self._splits.train.facts)
        self._model = model
        self.error = self._error_of(model)

    def train_on(self, epochs):
        """Points of error that are added without factors."""
        model = copy_model(self._model)
        self._tuning(model, epochs=epochs)
        return self._error_of(model) - self.error

    def factor(self, layer, rank, epochs):
        """How many times fewer weights the layer has, and the points of error added before and after training."""
        added = []

        def fine_tune(model, *, epochs, callbacks):
            added.append(self._error_of(model) - self.error)
            self._tuning(model, epochs=epochs, callbacks=callbacks)

        context = CompressionContext(
            fine_tune, 1, lambda count: calibration_samples(self._splits.train, count, seed=1), validate=None
        )
        result = low_rank(self._model, layers={layer: rank}, epochs=epochs, context=context)
        (row,) = result.facts["layers"]
        before, after = row["parameters"]
        return [before / after, *added, self._error_of(result.model) - self.error]

    def _error_of(self, model):
        return 100 * (1 - evaluate(KerasPredictor(model), self._splits.test, self._outputs, None)["accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--layer", default="dense1")
    parser.add_argument("--ranks", type=int, nargs="+", default=[87, 30])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("overrides", nargs="*", help="KEY=VALUE")
    arguments = parser.parse_args()
    print_place()
    errors, on, found = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            quiet = Console(file=io.StringIO())
            run = trainkit.fit(
                arguments.config, [f"seed={seed}", *arguments.overrides], runs=Path(folder), console=quiet
            )
            bench = Bench(load_config(run.resolved), KerasPredictor(run.model).model)
            errors.append(bench.error)
            on.append(bench.train_on(arguments.epochs))
            found.append([bench.factor(arguments.layer, rank, arguments.epochs) for rank in arguments.ranks])
            print(f"seed {seed}: error {errors[-1]:.2f}%, {on[-1]:+.2f}; {np.round(found[-1], 2).tolist()}", flush=True)
    print(
        f"\n{arguments.config.name}, {arguments.layer}, medians of seeds {arguments.seeds}: {np.median(errors):.2f}%\n"
    )
    trained = f"after {arguments.epochs} epochs"
    rows = [["whole", "1", "0.00", f"{np.median(on):+.2f}"]]
    for rank, (fewer, factored, after) in zip(arguments.ranks, np.median(found, axis=0), strict=True):
        rows.append([str(rank), f"{fewer:.1f}×", f"{factored:+.2f}", f"{after:+.2f}"])
    print_table(["rank", "fewer weights", "more error, points, as factored", trained], rows)


if __name__ == "__main__":
    main()
