"""Networks drawn at random: what they compute, read straight from what is written, by another way than the package.

A `Dense` of one unit multiplies by a number that its full name decides, so that a layer which is shared, or is not,
shows in the result; all numbers are whole, modulo a prime.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from trainkit.config.load import load_config
from trainkit.config.node import NodeError, SettingError
from trainkit.framework import tf
from trainkit.models import build_model

PRIME = 1_000_003


def weight(layer: str) -> int:
    """What the layer of a name multiplies by."""
    return zlib.crc32(layer.encode()) % PRIME


def compute(class_name: str, layer: str, arguments: dict[str, Any], given: list[int]) -> int:
    """What one layer gives."""
    match class_name:
        case "Dense":
            return (weight(layer) * given[0] + 7) % PRIME
        case "Rescaling":
            return (arguments["scale"] * given[0] + 1) % PRIME
        case "Add":
            return sum(given) % PRIME
        case "Subtract":
            return (given[0] - given[1]) % PRIME
    raise AssertionError(class_name)


@dataclass
class Made:
    """What a name stands for: its value, the names in it, and how to call it again."""

    value: int
    again: Callable[[list[int], str], Made]
    inner: dict[str, Made] = field(default_factory=dict)


@dataclass
class Room:
    """Where layers stand: what is known there."""

    blocks: dict[str, Any]
    values: dict[str, Any]
    inputs: dict[str, int]
    prefix: str = ""
    layers: str = ""
    names: dict[str, Made] = field(default_factory=dict)


class Oracle:
    """Computes what a written model gives, and every value of a layer with a name on the way."""

    def __init__(self, model: dict[str, Any]) -> None:
        self.values: dict[str, int] = {}
        inputs = {name: number for number, name in enumerate(model["inputs"], start=3)}
        room = Room(model["blocks"], {}, inputs)
        self.last = self._chain(model["layers"], next(iter(inputs.values())) if len(inputs) == 1 else None, room)

    def _chain(self, nodes: list[Any], x: int | None, room: Room) -> int | None:
        for node in nodes:
            for number, more in enumerate(self._times(node, room), start=1):
                inner = Room(room.blocks, room.values | more, room.inputs, room.prefix, room.layers, room.names)
                if read(node.get("when", True), inner.values):
                    x = self._call(node, number, x, inner)
        return x

    def _times(self, node: Any, room: Room) -> list[dict[str, Any]]:
        if "repeat" in node:
            return [{}] * read(node["repeat"], room.values)
        lists = {name: read(items, room.values) for name, items in node.get("for_each", {}).items()}
        rows = zip(*lists.values(), strict=True)
        return [dict(zip(lists, row, strict=True)) for row in rows] if lists else [{}]

    def _call(self, node: Any, number: int, x: int | None, room: Room) -> int:
        class_name = next(key for key in node if key[0].isupper() or key == "share")
        if "branches" in node:
            given = [self._chain(branch, x, room) for branch in node["branches"]]
        else:
            given = [self._known(name, x, room) for name in listed(node.get("inputs", "x"))]
        if class_name == "share":
            again = self._find(put(node["share"], room.values), room).again
        else:
            again = self._layer(class_name, node[class_name] or {}, room, own_name(node, number, room))
        name = own_name(node, number, room)
        made = again(given, room.prefix + name)
        if name:
            room.names[name] = made
            self.values[room.prefix + name] = made.value
        return made.value

    def _layer(self, class_name: str, written: dict[str, Any], room: Room, name: str) -> Callable[..., Made]:
        layer, arguments = room.layers + name, {key: read(item, room.values) for key, item in written.items()}

        def call(given: list[int], path: str) -> Made:
            if class_name not in room.blocks:
                return Made(compute(class_name, layer, arguments, given), call)
            block = room.blocks[class_name]
            values: dict[str, Any] = {}
            for key, default in block["params"].items():
                values[key] = arguments[key] if key in arguments else read(default, values)
            inputs = dict(zip(block.get("inputs", ["x"]), given, strict=True))
            blocks = room.blocks | block.get("blocks", {})
            inner = Room(blocks, values, inputs, f"{path}.", f"{layer}.")
            value = self._chain(block["layers"], inputs.get("x"), inner)
            assert value is not None
            return Made(value, call, inner.names)

        return call

    def _known(self, name: str, x: int | None, room: Room) -> int | None:
        name = put(name, room.values)
        if name == "x":
            return x
        return room.inputs[name] if name in room.inputs else self._find(name, room).value

    def _find(self, name: str, room: Room) -> Made:
        first, *rest = name.split(".")
        made = room.names[first]
        for part in rest:
            made = made.inner[part]
        return made


def own_name(node: Any, number: int, room: Room) -> str:
    """The name of a copy; none where it was given none."""
    written = node.get("name", "")
    is_counted = written and "$" not in written and ("repeat" in node or "for_each" in node)
    return put(written, room.values) + (str(number) if is_counted else "")


def listed(inputs: Any) -> list[str]:
    """The names in the `inputs` of a layer; those of a mapping as the block has them: `p`, `q`."""
    if isinstance(inputs, dict):
        return [inputs["p"], inputs["q"]]
    return [inputs] if isinstance(inputs, str) else inputs


def read(value: Any, values: dict[str, Any]) -> Any:
    """A value, with expressions computed by Python."""
    if isinstance(value, list):
        return [read(item, values) for item in value]
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    return eval(value[1:], {"min": min, "max": max}, dict(values))  # what this file wrote itself


def put(text: str, values: dict[str, Any]) -> str:
    """A name with values in it."""
    return re.sub(r"\$(\w+)", lambda match: str(values[match[1]]), text)


class Writer:
    """Writes a model, choice by choice."""

    def __init__(self, choose: Callable[[Any], Any]) -> None:
        self._choose = choose
        self._blocks: dict[str, Any] = {}
        self._inner: dict[str, tuple[list[str], list[str]]] = {}
        self._count = 0

    def model(self) -> dict[str, Any]:
        for name in ("Fore", "Mid", "Top")[: self._choose([2, 3, 1, 0])]:
            self._blocks[name] = self._block(name)
        inputs = {name: {"shape": [1]} for name in ("left", "right")[: self._choose([1, 2])]}
        layers = self._layers([], [*inputs, "x"], [], first=[*inputs])
        layers.append({"Dense": {"units": 1}, "name": "answer"})
        return {"inputs": inputs, "blocks": self._blocks, "layers": layers}

    def _block(self, name: str) -> dict[str, Any]:
        params: dict[str, Any] = {"a": self._choose(["required", 1, 2, "$(1 + 1)"])}
        params["b"] = self._choose([0, 3, "$a", "$(2 * a + 1)", "$(max(a, 2) % 3)"])
        params["on"] = self._choose([True, False, "$(a < b)", "$(a == 1 or b > 3)"])
        params["several"] = self._choose([[1, 2], [5], [], ["$(a + b)", 4]])
        inputs = self._choose([None, ["x", "side"], ["p", "q"]])
        known, shareable = [*(inputs or []), "x"], []
        layers = self._layers(["a", "b"], known, shareable, first=inputs)
        self._inner[name] = ([one for one in known if one not in ("x", *(inputs or []))], shareable)
        return {"params": params, "layers": layers} | ({"inputs": inputs} if inputs else {})

    def _layers(
        self, params: list[str], known: list[str], shareable: list[str], first: list[str] | None = None
    ) -> list[Any]:
        nodes: list[Any] = []
        if first and len(first) > 1:
            nodes.append({"Add": None, "name": "begin", "inputs": first})
            known.append("begin")
        for _ in range(self._choose([3, 4, 5, 2, 1])):
            nodes.append(self._node(params, known, shareable, depth=0))
        return nodes

    def _node(self, params: list[str], known: list[str], shareable: list[str], depth: int) -> Any:
        self._count += 1
        name, times = f"n{self._count}_", self._times(params)
        values = [*params, *times.get("for_each", {})]
        kind = self._choose(["block", "share", "merge", "Dense", "block", "share", "Rescaling"])
        if kind == "share" and shareable:
            node: dict[str, Any] = {"share": self._choose(shareable), "name": name}
            if node["share"].endswith("!2"):
                node["inputs"] = [self._choose(known), "x"]
            elif self._choose([True, False]):
                node["inputs"] = self._choose(known)
            node["share"] = node["share"].removesuffix("!2")
        elif kind == "merge":
            node = {self._choose(["Add", "Subtract"]): None, "name": name}
            if depth < 2 and self._choose([True, False]):
                if times.keys() & {"repeat", "for_each"}:
                    node["branches"] = [self._numbers(values) for _ in range(2)]
                else:
                    node["branches"] = [self._branch(params, known, depth + 1) for _ in range(2)]
            else:
                node["inputs"] = [self._choose(known), "x"]
        elif kind == "block" and self._blocks:
            return self._use(name, times, values, known, shareable)
        elif kind == "Rescaling":
            node = {"Rescaling": {"scale": self._number(values)}}
        else:
            node = {"Dense": {"units": 1}, "name": name}
        if not times and "name" in node and depth == 0:
            known.append(name)
            shareable += [name] if "Dense" in node else []
        return node | times | self._named_by_value(node, times)

    def _named_by_value(self, node: Any, times: dict[str, Any]) -> dict[str, str]:
        """With the value of a loop in the name, where those differ and no other name can be the same."""
        if times.get("for_each", {}).get("i") != [4, 2] or "name" not in node:
            return {}
        return {"name": f"{node['name']}v$i"} if self._choose([True, False]) else {}

    def _branch(self, params: list[str], known: list[str], depth: int) -> list[Any]:
        count = self._choose([0, 1, 2])
        return [self._node(params, [*known], [], depth) for _ in range(count)]

    def _numbers(self, values: list[str]) -> list[Any]:
        """A branch of layers without names: in one that is repeated, a name would stand there twice."""
        return [{"Rescaling": {"scale": self._number(values)}} for _ in range(self._choose([0, 1, 2]))]

    def _use(self, name: str, times: Any, values: list[str], known: list[str], shareable: list[str]) -> Any:
        class_name = self._choose([*self._blocks])
        block = self._blocks[class_name]
        arguments: dict[str, Any] = {}
        if block["params"]["a"] == "required" or self._choose([True, False]):
            arguments["a"] = self._number(values)
        if self._choose([True, False]):
            arguments["on"] = self._choose([True, False])
        if self._choose([True, False]):
            arguments["several"] = [1, self._number(values)]
        node = {class_name: arguments or None, "name": name} | times
        if "inputs" in block:
            pair = ["x", self._choose(known)]
            is_mapping = block["inputs"] == ["p", "q"] and self._choose([True, False])
            node["inputs"] = {"q": pair[1], "p": pair[0]} if is_mapping else pair
        elif self._choose([True, False]):
            node["inputs"] = self._choose(known)
        if not times:
            names, layers = self._inner[class_name]
            known += [name, *(f"{name}.{inner}" for inner in names)]
            shareable += [name + ("!2" if "inputs" in block else ""), *(f"{name}.{inner}" for inner in layers)]
        return node

    def _times(self, params: list[str]) -> dict[str, Any]:
        options: list[dict[str, Any]] = [*[{}] * 14, {"repeat": 2}, {"repeat": 0}, {"when": False}, {"when": True}]
        options += [
            {"for_each": {"i": [4, 2]}},
            {"for_each": {"i": [1, 2, 3], "j": [3, 0, 1]}, "when": "$(i + j != 2)"},
        ]
        if params:
            options += [{"repeat": "$(a % 3)"}, {"when": "$on"}, {"when": "$(not on)"}, {"for_each": {"i": "$several"}}]
        return self._choose(options)

    def _number(self, values: list[str]) -> Any:
        options: list[Any] = [1, 2]
        for name in values:
            options += [f"${name}", f"$({name} + 2)", f"$(min({name}, 2) * 3 - {name} // 2)"]
        return self._choose(options)


MODELS = st.randoms(use_true_random=True).map(lambda rng: Writer(rng.choice).model())
"""The `model:` of a config, each as likely as any other: what Hypothesis prefers is small."""


def config_of(model):
    return load_config(
        {
            "version": 1,
            "name": "drawn",
            "data": {"source": "Sample"},
            "model": model,
            "training": {"loss": "MeanSquaredError"},
        }
    )


def calls_of(config):
    """Everything that is called, as plain data."""
    return [
        (call.name, call.node.class_name, call.node.arguments, call.inputs, call.layer)
        for call in config.experiment.model.network.calls.values()
    ]


def values_of(network, inputs, value_of_call):
    """What each name of a network stands for, computed call by call."""
    values = dict(inputs)
    for call in network.calls.values():
        names = [call.inputs] if isinstance(call.inputs, str) else call.inputs
        values[call.name] = value_of_call(call, [values[name] for name in names])
    return {name: values[answer] for name, answer in network.answers.items()}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(model=MODELS)
def test_a_network_computes_what_is_written(model):
    network = config_of(model).experiment.model.network
    expected = Oracle(model).values
    inputs = {name: number for number, name in enumerate(model["inputs"], start=3)}
    found = values_of(
        network, inputs, lambda call, given: compute(call.node.class_name, call.layer, call.node.arguments, given)
    )
    assert {name: found[name] for name in expected} == expected
    dense = {name for name, call in network.calls.items() if call.node.class_name == "Dense"}
    assert dense <= expected.keys()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(model=MODELS)
def test_a_network_reads_back_from_its_resolved_form(model):
    config = config_of(model)
    again = config_of(yaml.safe_load(config.resolved_yaml())["model"])
    plain = [
        (name, kind, {key: args[key] for key in args if key in ("units", "scale")}, inputs, layer)
        for name, kind, args, inputs, layer in calls_of(again)
    ]
    assert plain == calls_of(config)
    assert again.resolved_yaml() == config.resolved_yaml()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(model=MODELS)
def test_a_network_is_built_as_it_is_written_and_read_back(model):
    config = config_of(model)
    again = config_of(yaml.safe_load(config.resolved_yaml())["model"])
    try:
        built, twin = (build_model(one.experiment.model, {}, name="drawn") for one in (config, again))
    except (NodeError, SettingError) as error:
        assume("no output depends on" not in str(error))
        raise
    assert built.to_json() == twin.to_json()
    for layer in built.layers:
        if isinstance(layer, tf.keras.layers.Dense):
            layer.set_weights([np.array([[weight(layer.name) / PRIME]]), np.array([7.0])])
    inputs = {name: float(number) for number, name in enumerate(model["inputs"], start=3)}
    network = config.experiment.model.network
    expected = values_of(network, inputs, compute_with_reals)[network.last]
    given = [np.array([[value]], "float32") for value in inputs.values()]
    found = built(given if len(given) > 1 else given[0])
    np.testing.assert_allclose(found.numpy().item(), expected, rtol=1e-4, atol=1e-3)


def compute_with_reals(call, given):
    """What one layer gives, with a weight below 1 and without a modulus; `Rescaling` has no offset."""
    arguments = call.node.arguments
    match call.node.class_name:
        case "Dense":
            return weight(call.layer) / PRIME * given[0] + 7
        case "Rescaling":
            return arguments["scale"] * given[0]
        case "Add":
            return sum(given)
        case _:
            return given[0] - given[1]
