"""What writing a network out costs beside building it: ResNet-152, and networks of 10,000 layers.

python benchmarks/expand_time.py [--rounds 3]

Prints, for ResNet-152 of the zoo, the share that reading the YAML and writing out its blocks has of building the model,
both in each round, one after the other; then the seconds for three ways to write 10,000 layers. No data are read.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from trainkit.config import Config, load_config

HEAD: dict[str, Any] = {"version": 1, "name": "net", "data": {"source": "Sample"}, "training": {"loss": "Hinge"}}
RESNET = {"input": [224, 224, 3], "layers": [{"ResNet152": {"classes": 1000}}]}
DENSE = {"Dense": {"units": 8, "activation": "relu"}}
LARGE: dict[str, dict[str, Any]] = {
    "10,000 layers, each written": {"input": [8], "layers": [DENSE] * 10_000},
    "one layer, repeat: 10000": {"input": [8], "layers": [{**DENSE, "repeat": 10_000}]},
    "1,000 blocks of 10 layers": {
        "input": [8],
        "blocks": {
            "Block": {
                "params": {"units": "required"},
                "layers": [
                    {"Dense": {"units": "$units", "activation": "relu"}},
                    {"Dense": {"units": "$(2 * units)"}},
                    {
                        "Add": None,
                        "branches": [[{"Dense": {"units": "$units"}}] * 4, [{"Dense": {"units": "$units"}}] * 3],
                    },
                ],
            }
        },
        "layers": [{"Block": {"units": 8}, "repeat": 1000}],
    },
}


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that an action takes, and what it gives."""
    begin = time.perf_counter()
    result = action()
    return time.perf_counter() - begin, result


def written_out(model: dict[str, Any]) -> Config:
    """A checked configuration with its network written out."""
    config = load_config(HEAD | {"model": model})
    assert config.experiment.model.network.calls
    return config


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    from trainkit.framework import tf
    from trainkit.models import build_model

    written_out(RESNET)  # reads the table of signatures and the zoo's file
    shares = []
    for number in range(1, rounds + 1):
        seconds, config = timed(lambda: written_out(RESNET))
        tf.keras.backend.clear_session()
        building, model = timed(lambda: build_model(config.experiment.model, {}, name="net"))  # noqa: B023
        shares.append(seconds / building)
        told = f"{len(model.layers)} layers: written out in {seconds:.3f} s, built in {building:.1f} s"
        print(f"round {number}: ResNet-152, {told}: {shares[-1]:.1%}")
    print(f"median share: {statistics.median(shares):.1%}")
    for name, model in LARGE.items():
        times = [timed(lambda: written_out(model))[0] for _ in range(rounds)]  # noqa: B023
        print(f"{name}: {statistics.median(times):.2f} s (of {rounds}: {min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main()
