"""`trainkit check`"""

from __future__ import annotations

import sys
from enum import Enum
from typing import Annotated

import typer

from trainkit.cli.arguments import AllowCode, ConfigFile, Overrides

WIDTH = 100
"""Columns where standard output is not a terminal."""
UNMET = "no problems, but not every file of the default `deploy.export`"


class TargetName(Enum):
    """Where a network can be asked to run: what `Target` has, which would import TensorFlow."""

    TFLITE = "tflite"
    INT8 = "tflite-int8"
    GPU = "tflite-gpu"
    ONNX = "onnx"
    ONNX_INT8 = "onnx-int8"


def check(
    config: ConfigFile,
    overrides: Overrides = None,
    target: Annotated[
        list[TargetName] | None,
        typer.Option(help="Where the network has to run, besides what deploy.export says; may be given several times."),
    ] = None,
    flat: Annotated[bool, typer.Option("--flat", help="Show every layer, not every block.")] = False,
    allow_code: AllowCode = False,
) -> None:
    """Find every problem in CONFIG, then show its layers, their costs and where they run; trains nothing."""
    from trainkit.config import load_config

    loaded = load_config(config, overrides or ())

    from rich.console import Console

    from trainkit.deploy.compress.teachers import Teachers
    from trainkit.deploy.deploy import check_deploy
    from trainkit.deploy.targets import check_targets, is_asked, targets_of, unmet
    from trainkit.models.targets import Target, findings
    from trainkit.training import prepare
    from trainkit.training.precision import as_float32
    from trainkit.training.report import print_checked, print_network
    from trainkit.training.scale.strategies import strategy_of

    prepared = prepare(loaded, strategy=strategy_of(loaded, alone=True))
    model = as_float32(prepared.model)
    check_deploy(loaded, model)
    with loaded.locating():
        Teachers().check(loaded, model, prepared.splits.train.facts)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    given, exported = {Target(name.value) for name in target or ()}, {*targets_of(loaded)}
    asked = [one for one in Target if one in given | exported]
    found = {one: findings(model, one) if one in given else unmet(loaded, model, one) for one in asked}
    print_network(console, prepared, flat=flat, targets=found)
    own = targets_of(loaded) if is_asked(loaded) else []
    check_targets(loaded, model, own, whole=[one for one in asked if one in given])
    problems = UNMET if any(found.values()) else "no problems"  # of what is asked for, none is left here
    print_checked(console, prepared, problems=problems)
