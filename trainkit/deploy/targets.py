"""Whether a network can run where its files are to run: asked before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainkit.config import Config, Node
from trainkit.config.network import part_of
from trainkit.deploy.islands import AUTO, is_int8
from trainkit.errors import ConfigError, Problem
from trainkit.models.patterns import fits
from trainkit.models.targets import Finding, Target, findings

_OTHERWISE = "name it in `exclude` of the int8 file, or leave int8 out: 'deploy.export=[TFLite, ONNX]'."


def targets_of(config: Config) -> list[Target]:
    """Where the files of `deploy.export` are to run, each place once."""
    found: dict[Target, None] = {}
    for node in config.experiment.deploy.export:
        if node.class_name == "TFLite":
            found[Target.TFLITE] = None
            found |= {Target.INT8: None} if node.arguments.get("precision") == "int8" else {}
        elif node.class_name == "ONNX":
            found[Target.ONNX] = None
    return [target for target in Target if target in found]


def is_asked(config: Config) -> bool:
    """Whether a config itself says which files to write."""
    deploy = config.document.data.get("deploy")
    return isinstance(deploy, dict) and "export" in deploy


def check_targets(config: Config, model: Any, targets: Iterable[Target]) -> None:
    """Refuse a network that cannot run where it is to run.

    Args:
        config: The configuration that describes it.
        model: The `tf.keras.Model`.
        targets: Where it is to run.

    Raises:
        ConfigError: With each layer that stands in the way, its place and a cure.
    """
    found = dict.fromkeys(finding for target in targets for finding in findings(model, target))
    if found:
        raise ConfigError(config.document.source, [_problem(config, finding) for finding in found])


def check_integers(config: Config, model: Any) -> None:
    """Refuse an int8 file of a network that would stay in real numbers, or that TensorFlow cannot make integers of.

    Args:
        config: Which files are to be written.
        model: The `tf.keras.Model` that they are made from, before its compression steps.

    Raises:
        ConfigError: With each layer that stands in the way, its place and a cure.
    """
    files = [node for node in config.experiment.deploy.export if is_int8(node)]
    found = [one for one in findings(model, Target.INT8) if any(not _is_excluded(one, node) for node in files)]
    if found:
        raise ConfigError(config.document.source, [_problem(config, finding, _OTHERWISE) for finding in found])


def _is_excluded(finding: Finding, node: Node) -> bool:
    """Whether a file of integers computes a layer with real numbers, as it is asked to."""
    exclude = node.arguments.get("exclude") or ()
    is_named = exclude == AUTO or any(fits(pattern, finding.layer) for pattern in exclude)
    return is_named and finding.target is Target.INT8


def _problem(config: Config, finding: Finding, cure: str = "") -> Problem:
    """A finding with its place; of a layer of a network of Keras, that of the network."""
    network = config.experiment.model.network
    nodes = {name: call.node for name, call in network.calls.items()} | network.users
    name = finding.layer if finding.layer in nodes else part_of(finding.layer, nodes)
    message = f"{finding.layer}: {finding}"
    if cure and finding.target is Target.INT8:
        message = f"{message.removesuffix('.')}, {cure}"
    path = config.path_of(nodes[name]) if name else ()
    return config.document.problem(path, message) if path else Problem(message)
