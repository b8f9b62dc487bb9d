"""A value for every missing number."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np

from trainkit.errors import InputError
from trainkit.framework import tf

Strategy = Literal["mean", "median", "constant"]


@tf.keras.saving.register_keras_serializable(package="trainkit")
class Impute(tf.keras.layers.Layer):
    """Put a value in the place of every missing number (NaN), one a feature.

    The features are the last axis. Until `adapt` has learned their values, missing numbers are left as they are.

    Args:
        strategy: What stands for a missing number: the `mean` or `median` of its feature, or always `fill_value`.
        fill_value: The value of `constant`.

    Raises:
        InputError: If there is no such strategy.

    Example:
        >>> layer = Impute()
        >>> layer.adapt(np.array([[1.0, 10.0], [3.0, np.nan]], np.float32))
        >>> layer(np.array([[np.nan, 5.0]], np.float32)).numpy().tolist()
        [[2.0, 5.0]]
    """

    def __init__(self, strategy: Strategy = "mean", fill_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if strategy not in get_args(Strategy):
            raise InputError(f"`strategy` must be one of {get_args(Strategy)}. Received: strategy={strategy!r}.")
        self.strategy = strategy
        self.fill_value = fill_value

    def build(self, input_shape: Any) -> None:
        """Make room for a value a feature; NaN where it is not learned yet."""
        start = self.fill_value if self.strategy == "constant" else np.nan
        self.values = self.add_weight(
            "values", (input_shape[-1],), initializer=tf.keras.initializers.Constant(start), trainable=False
        )
        super().build(input_shape)

    @property
    def is_adapted(self) -> bool:
        """Whether there is a value for every feature."""
        return self.built and not np.isnan(self.values.numpy()).any()

    def adapt(self, data: Any) -> None:
        """Learn the value of every feature from all rows, without the missing numbers.

        Args:
            data: An array of shape `(rows, …, features)`, or a `tf.data.Dataset` of such batches.

        Raises:
            InputError: If a feature has no number in any row.
        """
        batches = list(data.as_numpy_iterator()) if isinstance(data, tf.data.Dataset) else [np.asarray(data)]
        if not self.built:
            self.build(batches[0].shape)
        if self.strategy == "constant":
            return
        rows = np.concatenate([batch.reshape(-1, batch.shape[-1]) for batch in batches]).astype(np.float64)
        for index in np.flatnonzero(np.isnan(rows).all(axis=0)):
            raise InputError(
                f"`{self.name}` must find a number of each feature. Received: {len(rows)} rows without one of feature "
                f"{index}, counted from 0. Leave that column out, or write `strategy: constant`."
            )
        self.values.assign((np.nanmean if self.strategy == "mean" else np.nanmedian)(rows, axis=0))

    def call(self, inputs: Any) -> Any:
        """Fill one batch."""
        inputs = tf.cast(inputs, self.compute_dtype)
        return tf.where(tf.math.is_nan(inputs), self.values, inputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments; the values are a weight."""
        return {**super().get_config(), "strategy": self.strategy, "fill_value": self.fill_value}
