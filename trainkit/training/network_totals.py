"""What a whole network costs, in words."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainkit.framework import tf
from trainkit.models.costs import Amount, LayerCost, peak_memory, total
from trainkit.models.phone import Need, PhoneNeed, phone_needs
from trainkit.models.targets import Finding, Target, findings
from trainkit.models.weights import weight_bytes
from trainkit.training.loss_scale import plain_optimizer
from trainkit.training.memory import training_memory
from trainkit.training.network_table import BYTES, COUNTS, amount_text

_LARGEST_FILE = 2**31
"""Bytes that a .tflite can hold."""

_SENTENCES = {
    Need.BATCH_1: "TFLite needs batch 1 for",
    Need.FLEX: "TFLite needs Flex ops (Select TensorFlow) for",
    Need.MISSING: "TFLite has no operation for",
    Need.HOST: "Done before the TFLite file, by the app",
}


_TEXTS = ("Hashing", "TextVectorization")
_SUBJECTS = {
    Target.TFLITE: "TFLite",
    Target.INT8: "TFLite int8",
    Target.GPU: "TFLite GPU",
    Target.ONNX: "ONNX",
    Target.ONNX_INT8: "ONNX int8",
}
_WELL = {
    Target.INT8: "computed in integers",
    Target.GPU: "taken by the GPU delegate",
    Target.ONNX: "in the file",
    Target.ONNX_INT8: "quantized, as far as ONNX Runtime has integers for them",
}
_ILL = {
    Target.INT8: "Stays in real numbers in an int8 file",
    Target.GPU: "Left to the CPU, all or in part",
    Target.ONNX: "ONNX has no operation for",
    Target.ONNX_INT8: "Cannot be int8 in an .onnx",
}


def totals_text(
    model: Any,
    costs: Sequence[LayerCost],
    *,
    batch_size: int,
    lines: Mapping[str, int] | None = None,
    trained: Any | None = None,
) -> Iterator[str]:
    """Say what a network costs in all, a subject after the other.

    Args:
        model: A `tf.keras.Model`.
        costs: Its layers, see `layer_costs`.
        batch_size: Samples of a training step.
        lines: From the name of a layer to its line in the YAML file.
        trained: The compiled model that learns, where that is another.
    """
    parameters, learn = sum(cost.parameters for cost in costs), sum(cost.trainable for cost in costs)
    shares = f"{learn:,} trained, {parameters - learn:,} not" if learn < parameters else "all trained"
    yield _told("parameters", f"{parameters:,} ({shares}), {_bytes(sum(cost.weight_bytes for cost in costs))}")
    known = [cost.macs for cost in costs if cost.macs is not None]
    unknown = [cost.name for cost in costs if cost.macs is None]
    without = f", without {', '.join(unknown)}: what such a layer does is not known" if unknown else ""
    yield _told("MACs", f"{amount_text(total(known), COUNTS)} multiply-accumulates for a sample{without}")
    peak, whole = peak_memory(model), total(cost.activations for cost in costs)
    at_once = f"the most at once in inference is {amount_text(peak.activations, BYTES)}"
    at_once += f", at {_placed(peak.layer, lines or {})}"
    yield _told("activations", f"{amount_text(whole, BYTES)} for a sample; {at_once}")
    yield from _training(trained or model, batch_size)
    if any(amount.is_open for amount in [*known, whole]):
        yield _told("/step", "for each step of an axis of any length; /step²: for each pair of steps")


def phone_text(model: Any, *, lines: Mapping[str, int] | None = None) -> Iterator[str]:
    """Say what TensorFlow Lite asks of a network, a line a need, each with its cure.

    Args:
        model: A `tf.keras.Model`.
        lines: From the name of a layer to its line in the YAML file.
    """
    needs = phone_needs(model)
    if all(row.need is Need.HOST for row in needs):
        yield _told("TFLite", "its own operations are enough, for any batch size")
    for need in Need:
        if found := [row for row in needs if row.need is need]:
            names = ", ".join(_placed(row.layer, lines or {}, row.operations) for row in found)
            yield f"{_SENTENCES[need]}: {names}. {_cure(need, found)}"
    weights = weight_bytes(model.weights)
    if weights > _LARGEST_FILE:
        yield f"TFLite holds at most {_bytes(_LARGEST_FILE)} in a file. The weights are {_bytes(weights)} in float32."


def target_text(
    model: Any, target: Target, unmet: Sequence[Finding], *, lines: Mapping[str, int] | None = None
) -> Iterator[str]:
    """Say what a target runs of a network, and what it does not, each with its cure.

    Args:
        model: A `tf.keras.Model`.
        target: Where the file is to run; of `TFLITE`, see `phone_text`.
        unmet: What stands in the way; what a target does not run besides is excluded.
        lines: From the name of a layer to its line in the YAML file.
    """
    if target is Target.TFLITE:
        yield from phone_text(model, lines=lines)
        return
    found, lines = findings(model, target), lines or {}
    layers = [layer for layer in model.layers if not isinstance(layer, tf.keras.layers.InputLayer)]
    share = "every layer is" if not found else f"{len(layers) - len(found)} of {len(layers)} layers are"
    yield _told(_SUBJECTS[target], f"{share} {_WELL[target]}")
    own = [one for one in unmet if one.target is target]  # of the others their own target tells
    for ill, cure in dict.fromkeys((one.rule or _ILL[target], one.cure) for one in own):
        same = [one for one in own if (one.rule or _ILL[target], one.cure) == (ill, cure)]
        names = ", ".join(_placed(one.layer, lines, one.operations) for one in same)
        yield f"{names} {ill} {cure}" if same[0].rule else f"{ill}: {names}. {cure}"
    if excluded := [one for one in found if one not in unmet]:
        names = ", ".join(_placed(one.layer, lines, one.operations) for one in excluded)
        yield f"In real numbers, as `exclude` says: {names}"


def _training(model: Any, batch_size: int) -> Iterator[str]:
    memory = training_memory(model, batch_size=batch_size)
    whole = amount_text(memory.total, BYTES)
    yield _told("training", f"about {whole} at batch size {batch_size} (an estimate, without TensorFlow itself):")
    name = type(plain_optimizer(model.optimizer)).__name__
    slots = f"{name} {_bytes(memory.optimizer)}, " if memory.optimizer else ""
    held = f"weights {_bytes(memory.weights)}, gradients {_bytes(memory.gradients)}, {slots}"
    yield _told("", f"{held}kept activations {amount_text(memory.activations, BYTES)}")
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory.total.fixed > there and not tf.config.list_physical_devices("GPU"):
        yield f"note: training takes more than the {_bytes(there)} of this machine: lower `data.batch_size`"


def _cure(need: Need, found: Sequence[PhoneNeed]) -> str:
    if need is Need.HOST:
        return "preprocess.json, beside the file, says how."
    if need is Need.BATCH_1:
        unrolled = [row.layer for row in found if row.can_unroll]
        cure = f"For any batch size write `unroll: true` in {', '.join(unrolled)}, with a fixed number of steps."
        return f"The file is made so. {cure if unrolled else 'ONNX and SavedModel take any batch size.'}"
    if any(row.class_name in _TEXTS for row in found):
        return "Of texts, only whole ones are looked up before the file, by StringLookup; SavedModel holds all."
    elsewhere = "ONNX or SavedModel" if any(row.operations for row in found) else "SavedModel"
    return f"Replace {'it' if len(found) == 1 else 'them'}, or export {elsewhere}."


def _placed(layer: str, lines: Mapping[str, int], operations: Sequence[str] = ()) -> str:
    told = [*([f"line {lines[layer]}"] if layer in lines else []), *([", ".join(operations)] if operations else [])]
    return f"{layer} ({': '.join(told)})" if told else layer


def _told(subject: str, text: str) -> str:
    return f"{subject:<13}{text}"


def _bytes(size: int) -> str:
    return amount_text(Amount(size), BYTES)
