"""What the workers of one training tell each other: flags, small values, and the variables of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.runs.variables import variables_of

_CHUNK = 1024
"""Numbers of a message are padded to a multiple of it, so that few functions are made for messages."""

_AS_ANOTHER = {tf.bool: tf.int32, tf.float16: tf.float32, tf.bfloat16: tf.float32}
"""Types that are summed as another, which has all their values."""


class Team:
    """The workers of a strategy. Each method has to be called by all of them, in the same order.

    Args:
        strategy: A `tf.distribute.Strategy`; of one process, it is a team of one, and nothing is sent.
    """

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        resolver: Any = getattr(strategy, "cluster_resolver", None)
        tasks = resolver.cluster_spec().as_dict() if resolver else {}
        self.count = sum(map(len, tasks.values())) or 1
        self.index = 0
        if self.count > 1:
            before = len(tasks.get("chief", ())) if resolver.task_type == "worker" else 0
            self.index = before + resolver.task_id

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the one that writes."""
        return self.index == 0

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """The sum over the workers of each of some numbers."""
        return list(map(float, numbers)) if self.count == 1 else self._sum(np.array(numbers, np.float32)).tolist()

    def any(self, flag: bool) -> bool:
        """Whether a flag is set on any worker."""
        return self.sum([flag]) != [0.0]

    def meet(self) -> None:
        """Wait for all workers."""
        self.sum([0])

    def share(self, value: Any) -> Any:
        """What the chief gives, to all; it must be such as JSON can hold."""
        if self.count == 1:
            return value
        written = json.dumps(value).encode() if self.is_chief else b""
        text = np.frombuffer(written, np.uint8).astype(np.int32)
        (size,) = self._sum(np.array([len(text)], np.int32))
        whole = np.zeros(-(-size // _CHUNK) * _CHUNK, np.int32)
        whole[: len(text)] = text
        return json.loads(self._sum(whole)[:size].astype(np.uint8).tobytes())

    def spread(self, *trackables: Any) -> None:
        """Set the variables of Keras objects to what they are with the chief.

        Args:
            trackables: Models, optimizers and metrics, built alike by all workers.
        """
        if self.count == 1:
            return
        with self._strategy.scope():
            for variable in variables_of(*trackables):
                self._spread(variable)

    def _spread(self, variable: Any) -> None:
        local = self._strategy.experimental_local_results
        dtype = _AS_ANOTHER.get(variable.dtype, variable.dtype)
        value = tf.cast(local(variable)[0], dtype)
        chiefs = self._sum((value if self.is_chief else tf.zeros_like(value)).numpy())
        for component in local(variable):
            component.assign(tf.cast(chiefs.reshape(value.shape), variable.dtype))

    def _sum(self, numbers: np.ndarray) -> np.ndarray:
        return _summing(self._strategy, self.count)(tf.constant(numbers)).numpy()


@cache
def _summing(strategy: Any, workers: int) -> Any:
    """Sums tensors over workers, exactly where one of them alone has other than 0: its first replica gives it."""
    several = strategy.num_replicas_in_sync // workers

    @tf.function
    def sum_of(given: Any) -> Any:
        def one() -> Any:
            replica = tf.distribute.get_replica_context()
            is_first = tf.equal(replica.replica_id_in_sync_group % several, 0)
            return replica.all_reduce("SUM", tf.where(is_first, given, tf.zeros_like(given)))

        return strategy.experimental_local_results(strategy.run(one))[0]

    return sum_of
