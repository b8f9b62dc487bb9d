"""Whether the names in a configuration fit each other: of blocks, layers, inputs, outputs, targets and losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainkit.config.block import self_containing
from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.model_settings import Model
from trainkit.config.network import BEFORE, Network
from trainkit.config.node import Node
from trainkit.config.place import Fault
from trainkit.config.settings import Experiment
from trainkit.config.walk import node_paths
from trainkit.errors import Problem
from trainkit.registry import did_you_mean

Found = Iterator[tuple[KeyPath, str]]


def check_references(experiment: Experiment, document: Document) -> list[Problem]:
    """All problems of names that are missing, unknown or used twice."""
    model = experiment.model
    found = [*_inputs(model), *self_containing(model.blocks, ("model", "blocks"))]
    if not found:
        found = [*_metrics_used_twice(experiment), *_preprocess(model)]
        network, faults = model.expansion
        found += _located(faults, experiment)
    if not found:  # only then it is clear what each name stands for
        found = [*_outputs(model, network)]
    if not found:
        found = [*_per_output(experiment), *_columns(experiment)]
    return [document.problem(path, message) for path, message in found]


def _located(faults: Iterable[Fault], experiment: Experiment) -> Found:
    """Each fault where it is written; of a network of the zoo, where that is used."""
    paths, seen = node_paths(experiment), set()
    for fault in faults:
        node = next((node for node in fault.nodes if node in paths), None)
        inside = fault.path if node is fault.nodes[0] else ()
        path = (*paths[node], *inside) if node else ("model",)
        if path not in seen:  # another copy of the same node
            seen.add(path)
            first = format_path(paths.get(fault.first, ())) if fault.first else ""
            yield path, fault.message.replace("{first}", first)


def _inputs(model: Model) -> Found:
    if (model.input is None) == (model.inputs is None):
        told = "needs `input`, a shape, or `inputs`, a mapping" if model.input is None else "has both: remove one"
        yield ("model",), f"{told}. `input: [28, 28, 1]` is short for `inputs: {{input: {{shape: [28, 28, 1]}}}}`."
        return
    names = list(model.input_specs)
    if BEFORE in names:
        yield ("model", "inputs", BEFORE), f"the name {BEFORE!r} is taken already, by what stands before a layer."
    if isinstance(model.preprocess, list):
        if model.preprocess and len(names) > 1:
            yield ("model", "preprocess"), f"must be a mapping from {_listed(names)} to lists of layers."
        return
    for name in model.preprocess:
        if name not in names:
            yield ("model", "preprocess", name), _unknown("input", name, names)


def _metrics_used_twice(experiment: Experiment) -> Found:
    for path, nodes in _lists(("training", "metrics"), experiment.training.metrics):
        taken: dict[str, KeyPath] = {}
        for index, node in enumerate(nodes):
            if node.name and (first := taken.get(node.name)):
                message = f"the name {node.name!r} is taken already, by {format_path(first)}."
                yield (*path, index, "name"), message
            if node.name:
                taken.setdefault(node.name, (*path, index))


def _preprocess(model: Model) -> Found:
    for start, nodes in _lists(("model", "preprocess"), model.preprocess):
        for index, node in enumerate(nodes):
            if node.inputs is not None or node.branches is not None or node.share is not None:
                message = "a layer of preprocess takes what stands before it: it has no inputs, no branches."
                yield (*start, index), message


def _outputs(model: Model, network: Network) -> Found:
    names = [name for name in network.answers if name not in model.input_specs]
    for index, name in enumerate(model.outputs or []):
        if name not in names:
            yield ("model", "outputs", index), _unknown("layer", name, names)
        elif name in (model.outputs or [])[:index]:
            yield ("model", "outputs", index), f"{name!r} is an output already."
        elif network.maker(name) is None:
            message = f"{name!r} passes on an input as it is: each layer in it is left out."
            yield ("model", "outputs", index), message
    if not model.outputs and network.last not in network.calls:
        yield ("model", "layers"), "must have a layer: each that is written is left out."


def _per_output(experiment: Experiment) -> Found:
    """Losses and metrics: one for the one output, or a mapping from each."""
    outputs, training = experiment.model.output_names, experiment.training
    several = len(outputs) > 1
    for key in ("loss", "metrics", "loss_weights"):
        value = getattr(training, key)
        path = ("training", key)
        if isinstance(value, dict):
            yield from _exact(value, outputs, "output", path, complete=key == "loss")
        elif several and value:
            yield path, f"must be a mapping from the outputs {_listed(outputs)}: `{key}: {{{outputs[0]}: …}}`."


def _columns(experiment: Experiment) -> Found:
    data, model = experiment.data, experiment.model
    for key, names, kind in (("inputs", list(model.input_specs), "input"), ("targets", model.output_names, "output")):
        value = getattr(data, key)
        if isinstance(value, dict):
            yield from _exact(value, names, kind, ("data", key), complete=True)
        elif value is not None and len(names) > 1:
            yield ("data", key), f"must be a mapping from the {kind}s {_listed(names)} to columns."


def _exact(value: Mapping[str, Any], names: list[str], kind: str, path: KeyPath, *, complete: bool) -> Found:
    for name in value:
        if name not in names:
            yield (*path, name), _unknown(kind, name, names)
    missing = [name for name in names if name not in value]
    if complete and missing:
        yield path, f"must have each {kind} of the model. Missing: {_listed(missing)}."


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = did_you_mean(name, known)
    return f"unknown {kind} {name!r}.{near}{'' if near else f' Known: {_listed(known)}.'}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _lists(path: KeyPath, value: Any) -> list[tuple[KeyPath, list[Node]]]:
    """The lists of nodes in a setting that is one list or a mapping to lists."""
    if isinstance(value, dict):
        return [((*path, key), nodes) for key, nodes in value.items()]
    return [(path, value)]
