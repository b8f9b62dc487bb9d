"""What training makes of the batches of a split: targets in the form of the loss, and augmented images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.config import Config, NodeError, SettingError
from trainkit.data import Facts
from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.augment.pipeline import Augment
from trainkit.data.splits import Change
from trainkit.objects import build_registered
from trainkit.training.outputs import Output


def encoding(outputs: Mapping[str, Output]) -> Change | None:
    """What gives each batch the targets in the form that each loss takes; None where they have it."""
    if not any(output.is_one_hot for output in outputs.values()):
        return None
    return lambda inputs, targets, weights, *, epoch, rows: (inputs, encode(targets, outputs), weights)


def training_change(config: Config, facts: Facts, outputs: Mapping[str, Output], *, seed: int) -> Change | None:
    """What becomes of each training batch, for `Split.batches`; None for nothing.

    Raises:
        SettingError: If there is no image to augment.
        NodeError: If an augmentation refuses its arguments, or mixes targets that cannot be mixed.
    """
    augment = build_augment(config, facts, outputs, seed=seed)
    if augment is None:
        return encoding(outputs)
    images = [name for name, field in facts.inputs.items() if field.is_image]

    def change(inputs: Any, targets: Any, weights: Any, *, epoch: Any, rows: Any) -> Any:
        inputs, targets = dict(inputs), encode(targets, outputs)
        for name in images:
            inputs[name], targets = augment(inputs[name], targets, epoch=epoch, indices=rows)
        return inputs, targets, weights

    return change


def build_augment(config: Config, facts: Facts, outputs: Mapping[str, Output], *, seed: int) -> Augment | None:
    """The augmentations of a config, in their order; None where it has none.

    Raises:
        SettingError: If there is no image to augment.
        NodeError: If an augmentation refuses its arguments, or mixes targets that cannot be mixed.
    """
    nodes = config.experiment.data.augment
    if not nodes:
        return None
    images = [name for name, field in facts.inputs.items() if field.is_image]
    if not images:
        raise SettingError(("data", "augment"), "needs an input of images: [height, width, channels].")
    steps = [build_registered(node, AUGMENTATIONS, {}) for node in nodes]
    for node, step in zip(nodes, steps, strict=True):
        if not step.mixes:
            continue
        if config.experiment.data.class_weight or config.experiment.data.sample_weight:
            message = f"{node.class_name} mixes samples: it does not go with class_weight and sample_weight."
            raise NodeError(node, message)
        if len(images) > 1:
            raise NodeError(node, f"{node.class_name} mixes the images of one input; here are {len(images)}.")
        for output in outputs.values():
            if output.target.classes is not None and not output.is_one_hot:
                cure = "Use the loss CategoricalCrossentropy (and metrics for it: CategoricalAccuracy)."
                message = f"{node.class_name} mixes labels, which {output.loss.class_name} does not take."
                raise NodeError(node, f"{message} {cure}")
    return Augment(steps, seed=seed)


def encode(targets: Mapping[str, Any], outputs: Mapping[str, Output]) -> dict[str, Any]:
    """Targets in the form that each loss takes."""
    return {name: outputs[name].encode(target) for name, target in targets.items()}
