"""Zeros that are chosen while a model trains: a mask over each kernel, which is a variable of the model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.kernels import is_kernel
from trainkit.deploy.compress.reparameterized import Place, add_state, reparameterize, settled
from trainkit.framework import tf
from trainkit.models.calls import count_calls


class Masked(NamedTuple):
    """A kernel of which some values count as 0.

    Args:
        layer: Whose kernel it is.
        weight: The variable that is trained.
        mask: The variable that is 0 where the kernel is, else 1.
        threshold: A variable of one number, for what chooses the zeros to keep; 0 at first.
    """

    layer: str
    weight: Any
    mask: Any
    threshold: Any


Update = Callable[[Any, Sequence[Masked]], None]
"""`update(step, kernels)`: set masks before a training step, counted from 0, an int64 tensor; part of the graph."""


def train_masked(
    model: Any,
    layers: Collection[str],
    update: Update,
    *,
    epochs: int,
    context: CompressionContext,
    revives: bool = False,
    callbacks: Callable[[Sequence[Masked]], Sequence[Any]] = lambda kernels: (),
) -> Any:
    """Train a copy of a model while some of its values count as 0, and stay 0 in the end.

    Args:
        model: A flat functional `tf.keras.Model`; it is not changed.
        layers: Whose kernels are masked.
        update: What chooses the zeros.
        epochs: Passes over the training samples.
        context: What every compressor is told.
        revives: Whether values that count as 0 are trained as if they did not, so that they may come back.
        callbacks: What gives Keras callbacks for the training.

    Returns:
        A plain model.
    """
    found: list[Masked] = []

    def make(layer: str, place: Place) -> Mask | None:
        if layer not in layers or not is_kernel(place.owner, place.attribute):
            return None
        mask = Mask(place.variable, revives=revives)
        if not found:
            mask.before = _each_step(mask, update, found, calls=count_calls(model)[layer])
        found.append(Masked(layer, place.variable, mask.mask, mask.threshold))
        return mask

    wrapped = reparameterize(model, make)
    context.train(wrapped, epochs=epochs, callbacks=callbacks(found))
    return copy_model(settled(wrapped))


class Mask(tf.keras.layers.Layer):
    """Gives a weight with zeros in it.

    Replicas of a strategy choose the same zeros, each for itself: they have the same weights.

    Args:
        weight: The variable that is masked.
        revives: Whether the gradient reaches all of the weight, or only what is not masked.
        keep_zeros: Whether what is zero now is masked from the beginning.
    """

    def __init__(self, weight: Any, *, revives: bool = False, keep_zeros: bool = False) -> None:
        super().__init__()
        self.before: Callable[[], None] | None = None
        self._revives = revives
        kept = tf.cast(weight.numpy() != 0, weight.dtype) if keep_zeros else tf.ones(weight.shape, weight.dtype)
        self.mask = add_state(self, "mask", kept)
        self.threshold = add_state(self, "threshold", tf.zeros((), weight.dtype))
        self.steps = add_state(self, "steps", tf.zeros((), tf.int64))

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight as it counts; before that, one of all masks lets the zeros of all be chosen."""
        if training and self.before is not None:
            self.before()
        kept = weight * self.mask
        return weight + tf.stop_gradient(kept - weight) if self._revives else kept


def keep_largest(values: Any, count: Any) -> Any:
    """1 for so many of the largest values, 0 for the others; of equal ones, those at the end are kept.

    Args:
        values: A tensor of any shape.
        count: How many.

    Example:
        >>> keep_largest(tf.constant([[3.0, 1.0], [4.0, 1.0]]), 2).numpy().tolist()
        [[1.0, 0.0], [1.0, 0.0]]
    """
    flat = tf.reshape(values, [-1])
    size = tf.size(flat)
    kept = tf.cast(tf.range(size) >= size - tf.cast(count, tf.int32), values.dtype)
    return tf.reshape(tf.scatter_nd(tf.argsort(flat, stable=True)[:, tf.newaxis], kept, [size]), values.shape)


def grown(start: Any, end: Any, progress: Any) -> Any:
    """A share of zeros that grows, fast at first.

    Args:
        start: The share before.
        end: The share after.
        progress: How much of the growth is over, from 0 to 1; what is more counts as 1.

    Example:
        >>> [round(float(grown(0.0, 0.8, progress)), 6) for progress in (0.0, 0.5, 1.0)]
        [0.0, 0.7, 0.8]

    Reference:
        Zhu and Gupta, To prune, or not to prune, 2017, equation 1.
    """
    return end + (start - end) * (1 - tf.minimum(tf.cast(progress, tf.float64), 1)) ** 3


def _each_step(mask: Mask, update: Update, found: Sequence[Masked], *, calls: int) -> Callable[[], None]:
    """What the first mask does whenever its layer is called: so many times in each step."""

    def before() -> None:
        update(mask.steps // calls, found)
        mask.steps.assign_add(1)

    return before
