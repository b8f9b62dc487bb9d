"""Whether a network leaves out what stands behind the last step of a sequence, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainkit.config import SettingError
from trainkit.data import Split
from trainkit.data.sequence_column import join_batches
from trainkit.framework import tf
from trainkit.objects import first_sentence

MOST_SAMPLES = 8
MORE_STEPS = 3
TOLERANCE = 1e-4
"""Largest difference between the answers to a sample with less and with more padding, times the largest or 1."""


def padding_notes(model: Any, split: Split) -> list[str]:
    """What a person should know of padded sequences: whether they change answers, and what is taken for padding.

    Args:
        model: The `tf.keras.Model`; it is run on a few samples, and stays as it is.
        split: The training samples.

    Raises:
        SettingError: If the network cannot take padding: its value is no id, or the number of steps matters.
    """
    sequences = {name: field.padding for name, field in split.facts.inputs.items() if field.padding is not None}
    if not sequences:
        return []
    inputs = split.first_inputs(MOST_SAMPLES)
    longer = {
        name: _lengthened(array, sequences[name]) if name in sequences else array for name, array in inputs.items()
    }
    try:
        given, other = _answers(model, inputs), _answers(model, longer)
    except (ValueError, OverflowError, tf.errors.OpError) as error:
        message = f"the network cannot take samples with more padding behind them: {first_sentence(error)}."
        raise SettingError(("data", "padding"), message) from error
    if not _alike(given, other):
        names, padding = ", ".join(map(repr, sequences)), next(iter(sequences.values()))
        return [
            f"the padding behind the steps of {names} changes answers: a sample is answered otherwise beside longer "
            f"ones. Mask it, with `Masking: {{mask_value: {padding!r}}}` or, of ids, `Embedding: {{mask_zero: true}}`. "
            "Normalization, Rescaling and convolutions drop a mask; BatchNormalization and LayerNormalization keep it"
        ]
    if not any(_masks(layer) for layer in model._flatten_layers()):
        return []
    return [note for name, padding in sequences.items() for note in _taken_for_padding(split, name, padding)]


def _taken_for_padding(split: Split, name: str, padding: float | str) -> list[str]:
    found = split.looks_padded(name)
    if not len(found):
        return []
    first = split.original(int(found[0]))
    return [
        f"{len(found):,} of {split.size:,} training samples have a step in {name!r} that is {padding!r} in all "
        f"features, and so masked as padding is (the first: {first}). Leave such steps out, let ids begin with "
        "1, or pad with a value that no step has: `data.padding`"
    ]


def _lengthened(array: np.ndarray, padding: float | str) -> np.ndarray:
    further = np.full((1, array.shape[1] + MORE_STEPS, *array.shape[2:]), padding, array.dtype)
    return join_batches([array, further], padding)[:-1]


def _answers(model: Any, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    tensors = {name: tf.convert_to_tensor(array) for name, array in inputs.items()}
    return [np.asarray(values) for values in tf.nest.flatten(model(tensors, training=False))]


def _alike(given: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(
        a.shape == b.shape and float(np.abs(a - b).max()) <= TOLERANCE * max(1.0, float(np.abs(a).max()))
        for a, b in zip(given, other, strict=True)
    )


def _masks(layer: Any) -> bool:
    return isinstance(layer, tf.keras.layers.Masking) or getattr(layer, "mask_zero", False)
