"""Figures of sensitivity, as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trainkit.deploy.sensitivity.analysis import Sensitivity
from trainkit.deploy.sensitivity.trials import Trial
from trainkit.deploy.wording import rate_text


def error_words(sensitivity: Sensitivity) -> str:
    """What the error is a share of."""
    if sensitivity.integers.changed is None:
        return "root mean squared difference of the worst unit, as a share of its spread"
    return "probability that is given to other classes, the mean"


def trial_words(trial: Trial) -> str:
    """What was measured of a file."""
    parts = [f"error {rate_text(trial.error)}"]
    if trial.changed is not None:
        parts.append(f"{rate_text(trial.changed)} of the answers changed")
    if trial.drop_points is not None:
        parts.append(f"{trial.drop_points:.2f} points of accuracy lost")
    return ", ".join(parts)


def exclude_line(layers: Iterable[str]) -> str:
    """What to write into the YAML.

    Example:
        >>> exclude_line(["conv1", "block.conv"])
        'exclude: [conv1, block.conv]'
    """
    return f"exclude: [{', '.join(layers)}]"


def export_line(arguments: Mapping[str, Any], layers: Sequence[str]) -> str:
    """The whole line of `deploy.export`.

    Example:
        >>> export_line({"precision": "int8", "input_type": "uint8"}, ["conv1"])
        '- TFLite: {precision: int8, input_type: uint8, exclude: [conv1]}'
    """
    others = {key: value for key, value in arguments.items() if key != "exclude"}
    texts = [f"{key}: {value if isinstance(value, str) else json.dumps(value)}" for key, value in others.items()]
    return f"- TFLite: {{{', '.join([*texts, exclude_line(layers)])}}}"
