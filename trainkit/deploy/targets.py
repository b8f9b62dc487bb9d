"""Whether a network can run where its files are to run: asked before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainkit.config import Config, Node
from trainkit.config.network import part_of
from trainkit.deploy.export.layer_graph import flat
from trainkit.deploy.islands import AUTO, is_int8
from trainkit.errors import ConfigError, Problem
from trainkit.models.patterns import fits
from trainkit.models.targets import Finding, Target, findings

_LEAVE_OUT = "or leave int8 out: 'deploy.export=[TFLite, ONNX]'."
_EXCLUDE = "name it in `exclude` of the int8 file"
_REFUSED = (Target.INT8, Target.ONNX_INT8)
"""Where `deploy` refuses a network before its compression steps; other files fail one by one."""


def targets_of(config: Config) -> list[Target]:
    """Where the files of `deploy.export` are to run, each place once."""
    found: dict[Target, None] = {}
    for node in config.experiment.deploy.export:
        if node.class_name == "TFLite":
            found[Target.TFLITE] = None
            found |= {Target.INT8: None} if node.arguments.get("precision") == "int8" else {}
        elif node.class_name == "ONNX":
            found[Target.ONNX] = None
            found |= {Target.ONNX_INT8: None} if node.arguments.get("precision") == "int8" else {}
    return [target for target in Target if target in found]


def is_asked(config: Config) -> bool:
    """Whether a config itself says which files to write."""
    deploy = config.document.data.get("deploy")
    return isinstance(deploy, dict) and "export" in deploy


def unmet(config: Config, model: Any, target: Target) -> list[Finding]:
    """What stands in the way of the files of a config: not what every file of integers excludes.

    Args:
        config: Which files are to be written.
        model: The `tf.keras.Model` that they are made from, before its compression steps.
        target: Where they are to run.
    """
    if target is not Target.INT8:
        return findings(model, target)
    files = [node for node in config.experiment.deploy.export if is_int8(node)]
    has_patterns = any(node.arguments.get("exclude") for node in files)
    found = findings(flat(model) if has_patterns else model, target)  # patterns name layers of models inside, too
    return [one for one in found if not files or any(not _is_excluded(one, node) for node in files)]


def check_targets(config: Config, model: Any, targets: Iterable[Target], *, whole: Iterable[Target] = ()) -> None:
    """Refuse a network that cannot run where it is to run.

    Args:
        config: The configuration that describes it.
        model: The `tf.keras.Model`.
        targets: Where the files of the config are to run.
        whole: Where every layer has to run, also one that a file excludes.

    Raises:
        ConfigError: With each layer that stands in the way, its place and a cure.
    """
    found = {finding: _otherwise(finding) for target in targets for finding in unmet(config, model, target)}
    found = {finding: "" for target in whole for finding in findings(model, target)} | found
    if found:
        problems = [_problem(config, finding, cure) for finding, cure in found.items()]
        raise ConfigError(config.document.source, problems)


def check_integers(config: Config, model: Any) -> None:
    """Refuse an int8 file of a network that would stay in real numbers, or that nothing can make integers of.

    Args:
        config: Which files are to be written.
        model: The `tf.keras.Model` that they are made from, before its compression steps.

    Raises:
        ConfigError: With each layer that stands in the way, its place and a cure.
    """
    check_targets(config, model, [target for target in targets_of(config) if target in _REFUSED])


def _is_excluded(finding: Finding, node: Node) -> bool:
    """Whether a file of integers computes a layer with real numbers, as it is asked to."""
    exclude = node.arguments.get("exclude") or ()
    is_named = exclude == AUTO or any(fits(pattern, finding.layer) for pattern in exclude)
    return is_named and _can_exclude(finding)


def _can_exclude(finding: Finding) -> bool:
    return finding.target is Target.INT8 and not finding.rule


def _otherwise(finding: Finding) -> str:
    """What helps besides, where a file of integers is asked for."""
    if finding.target is not Target.INT8:
        return ""
    return f"{_EXCLUDE}, {_LEAVE_OUT}" if _can_exclude(finding) else _LEAVE_OUT


def _problem(config: Config, finding: Finding, cure: str) -> Problem:
    """A finding with its place; of a layer of a network of Keras, that of the network."""
    network = config.experiment.model.network
    nodes = {name: call.node for name, call in network.calls.items()} | network.users
    name = finding.layer if finding.layer in nodes else part_of(finding.layer, nodes)
    message = f"{finding.layer}: {finding}"
    if cure:
        message = f"{message.removesuffix('.')}, {cure}"
    path = config.path_of(nodes[name]) if name else ()
    return config.document.problem(path, message) if path else Problem(message)
