"""Whether the names in a configuration fit each other: of layers, inputs, outputs, targets and losses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.model_settings import Model
from trainkit.config.node import Node, in_building_order
from trainkit.config.settings import Experiment
from trainkit.errors import Problem
from trainkit.registry import did_you_mean

BEFORE = "x"
"""What a layer calls that which stands before it."""

Found = Iterator[tuple[KeyPath, str]]


def check_references(experiment: Experiment, document: Document) -> list[Problem]:
    """All problems of names that are missing, unknown or used twice."""
    model = experiment.model
    found = [*_inputs(model)] or [*_names_used_twice(experiment)]
    if not found:  # only then it is clear what each name stands for
        found = [*_layer_inputs(model), *_outputs(model)]
    if not found:
        found = [*_per_output(experiment), *_columns(experiment)]
    return [document.problem(path, message) for path, message in found]


def references(inputs: str | list[str] | Mapping[str, str]) -> list[str]:
    """The names that the `inputs` of a layer use."""
    return [name for _, name in _written_references(inputs)]


def _written_references(inputs: str | list[str] | Mapping[str, str]) -> list[tuple[KeyPath, str]]:
    """The names, each with its path from `inputs`."""
    if isinstance(inputs, str):
        return [((), inputs)]
    items = inputs.items() if isinstance(inputs, Mapping) else enumerate(inputs)
    return [((key,), name) for key, name in items]


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


def _names_used_twice(experiment: Experiment) -> Found:
    taken = {("layer", name): f"the input {name!r}" for name in experiment.model.input_specs}
    taken["layer", BEFORE] = "what stands before a layer"
    metrics = experiment.training.metrics
    lists: list[tuple[KeyPath, list[Node]]] = [
        *_lists(("model", "preprocess"), experiment.model.preprocess),
        (("model", "layers"), experiment.model.layers),
    ]
    for path, node in (found for start, nodes in lists for found in _walk(nodes, start)):
        yield from _take(path, node, taken)
    for start, nodes in _lists(("training", "metrics"), metrics):
        of_this_output = dict(taken)
        for path, node in _walk(nodes, start):
            yield from _take(path, node, of_this_output)


def _take(path: KeyPath, node: Node, taken: dict[tuple[str, str], str]) -> Found:
    if node.name is None:
        return
    if first := taken.get((node.kind, node.name)):
        yield (*path, "name"), f"the name {node.name!r} is taken already, by {first}."
    taken.setdefault((node.kind, node.name), format_path(path))


def _layer_inputs(model: Model) -> Found:
    for start, nodes in _lists(("model", "preprocess"), model.preprocess):
        for index, node in enumerate(nodes):
            if node.inputs is not None or node.branches is not None:
                message = "a layer of preprocess takes what stands before it: it has no inputs, no branches."
                yield (*start, index), message
    several = len(model.input_specs) > 1
    yield from _Chains(model).check(model.layers, ("model", "layers"), starts_empty=several)


class _Chains:
    """Checks layer after layer, and knows what stands above it."""

    def __init__(self, model: Model) -> None:
        self._known = list(model.input_specs)
        self._names = model.layer_names
        self._elsewhere = dict.fromkeys(self._names.values(), "stands below: a layer takes what stands above it.")
        for input_name, nodes in model.preprocess_by_input.items():
            message = f"is a layer of preprocess: take {input_name!r}, the input that it prepares."
            self._elsewhere.update({self._names[node]: message for node in in_building_order(nodes)})

    def check(self, nodes: list[Node], start: KeyPath, *, starts_empty: bool) -> Found:
        """Check a chain of layers, and the chains in it."""
        for index, node in enumerate(nodes):
            path = (*start, index)
            empty = starts_empty and index == 0
            for number, branch in enumerate(node.branches or []):
                yield from self.check(branch, (*path, "branches", number), starts_empty=empty)
                if empty and not branch:
                    yield (*path, "branches", number), self._nothing_before()
            if node.inputs is not None:
                yield from self._check_inputs(node.inputs, (*path, "inputs"), empty=empty)
            elif empty and node.branches is None:
                yield path, self._nothing_before()
            self._known.append(self._names[node])

    def _check_inputs(self, inputs: str | list[str] | Mapping[str, str], start: KeyPath, *, empty: bool) -> Found:
        for path, name in _written_references(inputs):
            if name == BEFORE and empty:
                yield (*start, *path), self._nothing_before()
            elif name not in (BEFORE, *self._known):
                elsewhere = self._elsewhere.get(name)
                message = f"{name!r} {elsewhere}" if elsewhere else _unknown("layer", name, self._known)
                yield (*start, *path), message

    def _nothing_before(self) -> str:
        return f"nothing stands before it: write `inputs:` with one of {_listed(self._known)}, or several."


def _outputs(model: Model) -> Found:
    names = list(model.layer_names.values())
    for index, name in enumerate(model.outputs or []):
        if name not in names:
            yield ("model", "outputs", index), _unknown("layer", name, names)
        elif name in (model.outputs or [])[:index]:
            yield ("model", "outputs", index), f"{name!r} is an output already."


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


def _walk(nodes: list[Node], start: KeyPath) -> Iterator[tuple[KeyPath, Node]]:
    for index, node in enumerate(nodes):
        for number, branch in enumerate(node.branches or []):
            yield from _walk(branch, (*start, index, "branches", number))
        yield (*start, index), node
