"""A model -> the `model:` section of a config, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models.calls import is_graph
from trainkit.models.describe.arguments import node_of
from trainkit.models.describe.names import choose_names
from trainkit.models.describe.step import Given, Record, Ref, Step
from trainkit.models.describe.walk import Place, walk

_DTYPES = {"float32": "float32", "int32": "int32", "int64": "int64", "string": "string"}
_DTYPES |= dict.fromkeys(("float16", "bfloat16", "float64"), "float32")
_DTYPES |= dict.fromkeys(("int8", "uint8", "int16", "uint16"), "int32")
"""The dtype that stands in a config for that of an input."""


@dataclass(frozen=True)
class Description:
    """A network in the config language.

    Args:
        section: What stands under `model:`.
        notes: What a reader should know of it, a sentence each.
    """

    section: dict[str, Any]
    notes: list[str]


def describe_network(model: Any) -> dict[str, Any]:
    """Describe the network of a model; see `describe`.

    Example:
        >>> inputs = tf.keras.Input((4,), name="petals")
        >>> dense = tf.keras.layers.Dense(3, activation="softmax", name="kind")
        >>> describe_network(tf.keras.Model(inputs, dense(inputs)))["layers"]
        [{'Dense': {'units': 3, 'activation': 'softmax'}, 'name': 'kind'}]
    """
    return describe(model).section


def describe(model: Any) -> Description:
    """Describe the network of a model, without its weights, so that it can be built again.

    Models inside it are dissolved: a layer `conv1` of `encoder` is called `encoder_conv1`. Functions of TensorFlow
    become layers of Keras that do the same.

    Args:
        model: A functional or sequential `tf.keras.Model`; it is not changed.

    Returns:
        The `model:` section, and what should be known of it.

    Raises:
        InputError: If layers cannot be written in the language; all of them are listed, each with the reason.
    """
    if not is_graph(model) or not model.inputs:
        told = f"{type(model).__name__} {getattr(model, 'name', model)!r}"
        raise InputError(f"`model` must be a functional or sequential Keras model with known inputs. Received: {told}.")
    record = Record()
    inputs = _inputs(model, record)
    outputs = walk(model, Place({id(tensor): given for tensor, given in inputs}, trainable=model.trainable), record)
    if record.problems:
        _raise(record, model)
    ends = _ends(model, outputs, record)
    steps = _needed(record.steps, ends)
    taken = {ref for step in steps for ref in _refs(step)}
    used = [given for _, given in inputs if given in taken]
    _note_what_is_left_out(model, [given for _, given in inputs], used, record)
    return Description(_section(used, steps, ends), record.notes)


def _inputs(model: Any, record: Record) -> list[tuple[Any, Given]]:
    pairs = []
    for tensor, name in zip(model.inputs, model.input_names, strict=True):
        dtype, shape = tf.as_dtype(tensor.dtype).name, list(tensor.shape[1:])
        if dtype not in _DTYPES or not shape or not isinstance(tensor.type_spec, tf.TensorSpec):
            kind = f"{type(tensor.type_spec).__name__} of {dtype}, shape {tuple(tensor.shape)}"
            record.problems.append((name, "InputLayer", f"the config language has no input like it: a {kind}"))
        if dtype in _DTYPES and _DTYPES[dtype] != dtype:
            record.note(f"Input {name!r} was {dtype}, which a config cannot say: it is {_DTYPES[dtype]}.")
        if tensor.shape[0] is not None:
            record.note(f"Input {name!r} had a fixed batch size, {tensor.shape[0]}: it has none here.")
        pairs.append((tensor, Given(name, shape, _DTYPES.get(dtype, dtype))))
    return pairs


def _raise(record: Record, model: Any) -> None:
    lines = [f"  {name!r} ({class_name}): {reason}." for name, class_name, reason in record.problems]
    count = "1 layer" if len(lines) == 1 else f"{len(lines)} layers"
    raise InputError("\n".join([f"{model.name} cannot be written as a config, because of {count}:", *lines]))


def _ends(model: Any, outputs: list[Ref], record: Record) -> list[Step]:
    """The steps that answer, each called as the model calls its output, where somebody chose that name."""
    ends: list[Step] = []
    for name, output in zip(model.output_names, outputs, strict=True):
        if not isinstance(output, Step) or output in ends:
            output = Step("Activation", {"activation": "linear"}, output)
            record.steps.append(output)
        output.wish = output.wish if name.startswith("tf.") else name
        ends.append(output)
    return ends


def _note_what_is_left_out(model: Any, inputs: Sequence[Given], used: Sequence[Given], record: Record) -> None:
    for layer in model.layers:
        if type(layer).__name__ in ("AddLoss", "AddMetric"):
            record.note(f"{layer.name!r} is left out: a loss or metric that is computed inside belongs to `training`.")
    for given in inputs:
        if given not in used:
            record.note(f"Input {given.wish!r} is left out: no output depends on it.")


def _needed(steps: Sequence[Step], ends: Sequence[Step]) -> list[Step]:
    """The steps that the outputs depend on: of a function with several values, some may be of no use."""
    needed: set[Ref] = set(ends)
    for step in reversed(steps):
        needed |= set(_refs(step)) if step in needed else set()
    return [step for step in steps if step in needed]


def _refs(step: Step) -> list[Ref]:
    if isinstance(step.inputs, Mapping):
        return list(step.inputs.values())
    return step.inputs if isinstance(step.inputs, list) else [step.inputs]


def _section(inputs: list[Given], steps: list[Step], ends: list[Step]) -> dict[str, Any]:
    names, unwritten = choose_names(inputs, steps)
    before: list[Ref | None] = [inputs[0] if len(inputs) == 1 else None, *steps]
    layers = [
        _node(step, names, is_named=step not in unwritten, before=last)
        for step, last in zip(steps, before, strict=False)
    ]
    section = _written_inputs(inputs, names) | {"layers": layers}
    return section if ends == [steps[-1]] else section | {"outputs": [names[step] for step in ends]}


def _written_inputs(inputs: list[Given], names: Mapping[Ref, str]) -> dict[str, Any]:
    if len(inputs) == 1 and names[inputs[0]] == "input" and inputs[0].dtype == "float32":
        return {"input": inputs[0].shape}
    specs = {
        names[given]: {"shape": given.shape} | ({} if given.dtype == "float32" else {"dtype": given.dtype})
        for given in inputs
    }
    return {"inputs": specs}


def _node(step: Step, names: Mapping[Ref, str], *, is_named: bool, before: Ref | None) -> Any:
    settings: dict[str, Any] = {"name": names[step]} if is_named else {}
    if step.inputs is not before:
        settings["inputs"] = _written_references(step, names)
    if step.same_as is not None:
        return {"share": names[step.same_as]} | settings
    if not settings:
        return node_of(step.class_name, step.arguments)
    return {step.class_name: step.arguments or None} | settings


def _written_references(step: Step, names: Mapping[Ref, str]) -> Any:
    if isinstance(step.inputs, Mapping):
        return {key: names[ref] for key, ref in step.inputs.items()}
    return [names[ref] for ref in step.inputs] if isinstance(step.inputs, list) else names[step.inputs]
