"""Two images shown through one another."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import check_positive
from trainkit.data.augment.keys import symmetric_beta
from trainkit.data.augment.mixing import blend, blend_targets


class MixUp:
    """Blend each image with another, and its targets in the same shares.

    The other is the one before it in the batch, for the first the last: what a sample is mixed with depends on its
    batch, its share does not. Targets must be numbers that can be added up; classes are one-hot.

    Args:
        alpha: The share of the image itself is drawn from Beta(`alpha`, `alpha`), for each sample anew: near 0 almost
            nothing is mixed, 1 makes every share as likely, and the larger, the nearer to halves.

    Raises:
        InputError: If `alpha` is not above 0.

    Reference:
        Zhang et al., ICLR 2018, equation 2; `alpha` of 0.1 to 0.4 for ImageNet in section 3.1.
    """

    mixes: bool = True

    def __init__(self, *, alpha: float = 0.2) -> None:
        check_positive("alpha", alpha)
        self.alpha = alpha

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Mix `images`, shape `(batch, height, width, channels)`, and every target, `(batch, …)`; all float32."""
        shares = symmetric_beta(keys, self.alpha)
        return blend(images, shares), blend_targets(targets, shares)
