"""What MixUp and CutMix share: the partner of a sample, and targets in two parts."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf


def partners(samples: Any) -> Any:
    """For each sample of a batch the one before it; for the first the last."""
    return tf.roll(samples, shift=1, axis=0)


def blend(samples: Any, shares: Any) -> Any:
    """Samples and their partners, added up.

    Args:
        samples: float32, shape `(batch, …)`.
        shares: How much of the sample itself is kept, in [0, 1], shape `(batch,)`; the rest is the partner's.

    Returns:
        float32, the shape of `samples`.
    """
    shares = tf.reshape(shares, [-1] + [1] * (samples.shape.rank - 1))
    return shares * samples + (1.0 - shares) * partners(samples)


def blend_targets(targets: dict[str, Any], shares: Any) -> dict[str, Any]:
    """Every target, blended."""
    return {name: blend(target, shares) for name, target in targets.items()}
