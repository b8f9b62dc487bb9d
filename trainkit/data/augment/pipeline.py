"""Augmentations one after the other, each with random numbers of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from trainkit.data.augment.keys import sample_keys
from trainkit.framework import tf


class Augmentation(Protocol):
    """One way to change a batch of images; `mixes` says whether it changes targets too."""

    mixes: bool

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Change a batch.

        Args:
            images: float32, shape `(batch, height, width, channels)`, of any range.
            targets: float32 tensors of shape `(batch, …)` by name; classes are one-hot where `mixes` is true.
            keys: What all its random numbers are drawn from, uint64, shape `(batch,)`.

        Returns:
            Both, changed; in the same shapes.
        """


class Augment:
    """Augment batches so that a sample comes out the same whenever (`seed`, epoch, index) are the same.

    Neither the batch it is in nor the threads of the machine matter, except for which partner a sample is mixed with.

    Args:
        steps: What to do, in this order.
        seed: Of the random numbers; the same step in another place has others.
    """

    def __init__(self, steps: Sequence[Augmentation], *, seed: int) -> None:
        self.steps = tuple(steps)
        self.seed = seed

    @property
    def mixes(self) -> bool:
        """Whether targets are changed too, for which classes must be one-hot."""
        return any(step.mixes for step in self.steps)

    def __call__(self, images: Any, targets: dict[str, Any], *, epoch: Any, indices: Any) -> tuple[Any, dict[str, Any]]:
        """Augment a batch.

        Args:
            images: Shape `(batch, height, width, channels)`, of any type and range.
            targets: float32 tensors of shape `(batch, …)` by name.
            epoch: Number of the epoch, an int64 scalar.
            indices: Indices of the samples in their split, int64, shape `(batch,)`.

        Returns:
            Images as float32, in the range they had, and the targets.
        """
        images = tf.cast(images, tf.float32)
        for place, step in enumerate(self.steps):
            images, targets = step(images, targets, sample_keys(self.seed, epoch, indices, salt=place))
        return images, targets
