"""Where the steps of a call get their batches from: samples held on the devices, or tf.data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from trainkit.data import Parts
from trainkit.data.batching import part_of
from trainkit.framework import tf
from trainkit.training.batches import Batches

MOST = 2**31 - 1
"""Steps of a call that nothing else limits."""


@dataclass(frozen=True)
class Sizes:
    """How large batches are that come one after the other.

    Args:
        full: Samples of each.
        last: Samples of the last one, where that is smaller; else 0.
    """

    full: int
    last: int


class Feed(Protocol):
    """Where the steps of a call get their batches from.

    Outside of replicas there are items: `each` hands them out. In a replica, `batch` makes of an item the part of a
    batch that this replica takes, with its share of the batch: see `trainkit.data.batching.part_of`.
    """

    def arguments(self, step: int, count: int) -> tuple[Any, ...]:
        """What `each` is to be called with, so that it does `count` steps from `step` on."""

    def most(self, step: int) -> int:
        """Steps that one call can do from a step on."""

    def sizes(self, step: int, count: int) -> Sizes | None:
        """How large the batches of a call are, where that is known before they come."""

    def of_sizes(self, sizes: Sizes) -> Feed:
        """The same for such calls, with batches of shapes that are known when a function is made, as XLA wants it."""

    def each(self, body: Callable[..., None], *arguments: Any) -> None:
        """Call `body` with the item of each step, one after the other; inside a TensorFlow function, a loop."""

    def batch(self, *item: Any) -> tuple[Any, Any | None]:
        """The batch of a replica, `(inputs, targets, weights)`, and its share; None where it takes whole batches."""

    def rewind(self) -> None:
        """Begin anew with the next call, whatever its step is."""


class Streamed:
    """Batches from tf.data, which reads and prepares them beside the steps.

    Args:
        dataset: Steps done and the parts that are wanted, to the dataset of all batches from there.
        strategy: The strategy of the model; each of several replicas gets a part of each batch.
    """

    def __init__(self, dataset: Callable[..., Any], strategy: Any) -> None:
        self._dataset, self._strategy = dataset, strategy
        self._next: int | None = None

    @classmethod
    def of(cls, batches: Batches, strategy: Any) -> Streamed:
        """Batches of a split."""
        return cls(batches.dataset, strategy)

    def arguments(self, step: int, count: int) -> tuple[Any, ...]:
        """The iterator, which stands at `step`, and the count."""
        if step != self._next:
            self._iterator = iter(self._distributed(step))
        self._next = step + count
        return self._iterator, tf.constant(count)

    def most(self, step: int) -> int:
        """Any number."""
        return MOST

    def sizes(self, step: int, count: int) -> None:
        """Not known before they come."""

    def of_sizes(self, sizes: Sizes) -> Streamed:
        """The same: tf.data says what it knows."""
        return self

    def each(self, body: Callable[..., None], iterator: Any, count: Any) -> None:
        """Call `body` with the next elements."""
        for _ in tf.range(count):
            body(next(iterator))

    def batch(self, item: Any) -> tuple[Any, Any | None]:
        """The element; with its share where there are several replicas."""
        return (item, None) if self._strategy.num_replicas_in_sync == 1 else item

    def rewind(self) -> None:
        """Begin anew with the next call, whatever its step is."""
        self._next = None

    def _distributed(self, step: int) -> Any:
        strategy = self._strategy
        if strategy.num_replicas_in_sync == 1:
            return self._dataset(step)

        def parts(context: Any) -> Any:
            local = context.num_replicas_in_sync // context.num_input_pipelines
            first = context.input_pipeline_id * local
            return self._dataset(step, parts=Parts(range(first, first + local), context.num_replicas_in_sync))

        return strategy.distribute_datasets_from_function(parts)


class Resident:
    """All samples as tensors on the devices: batches are gathered there by their rows, inside the step.

    Args:
        batches: Of a split that is in memory.
        strategy: The strategy of the model; each of several replicas takes a part of the rows of each batch.
    """

    _sizes: Sizes | None = None

    def __init__(self, batches: Batches, strategy: Any) -> None:
        self._batches, self._strategy = batches, strategy
        self._splits = [batches.split.on(_memory(device)) for device in _devices(strategy)]
        self._epoch: int | None = None
        self._following: tuple[int, Future[Any]] | None = None

    def arguments(self, step: int, count: int) -> tuple[Any, ...]:
        """Epoch, order of its rows, first step of it, and the step behind the last."""
        epoch, first = self._batches.place(step)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._order_of(epoch)
        return tf.constant(epoch, tf.int64), self._order, tf.constant(first), tf.constant(first + count)

    def most(self, step: int) -> int:
        """Steps up to the end of the pass."""
        return self._batches.steps_per_pass - self._batches.place(step)[1]

    def sizes(self, step: int, count: int) -> Sizes:
        """The batch size, and what is left for a last batch where these steps have that."""
        _, first = self._batches.place(step)
        size, batch_size = self._batches.split.size, self._batches.batch_size
        left, full = size - (first + count - 1) * batch_size, min(batch_size, size)
        return Sizes(full, left if left < full else 0)

    def of_sizes(self, sizes: Sizes) -> Resident:
        """The same, slicing rows of these sizes."""
        feed = copy.copy(self)
        feed._sizes = sizes
        return feed

    def each(self, body: Callable[..., None], epoch: Any, order: Any, first: Any, end: Any) -> None:
        """Call `body` with the rows of each step."""
        if tf.executing_eagerly():
            for step in range(int(first), int(end)):
                body(epoch, self._rows(order, step))
            return

        def one(step: Any) -> Any:
            body(epoch, self._rows(order, step))
            return step + 1

        last = self._sizes.last if self._sizes else 0
        full = end - 1 if last else end
        # a loop over tf.range would be compiled anew by XLA for each number of steps
        tf.while_loop(lambda step: step < full, one, [first])
        if last:
            body(epoch, tf.slice(order, [full * self._batches.batch_size], [last]))

    def batch(self, epoch: Any, rows: Any) -> tuple[Any, Any | None]:
        """The samples at the rows of this replica."""
        replica, share = tf.distribute.get_replica_context(), None
        count, change = self._strategy.num_replicas_in_sync, self._batches.change
        if count > 1:
            rows, share = part_of(rows, replica.replica_id_in_sync_group, count)
        batch = self._splits[_index(replica) % len(self._splits)].gather(rows)
        return (change(*batch, epoch=epoch, rows=rows) if change else batch), share

    def rewind(self) -> None:
        """Nothing: an epoch can be begun at any step."""

    def _order_of(self, epoch: int) -> Any:
        """The order of an epoch; that of the following one is made beside the steps."""
        found = self._following
        order = found[1].result() if found and found[0] == epoch else self._batches.order(epoch)
        if self._batches.is_shuffled and self._strategy.num_replicas_in_sync == 1:
            self._following = epoch + 1, self._thread.submit(self._batches.order, epoch + 1)
        return order

    @cached_property
    def _thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1)

    def _rows(self, order: Any, step: Any) -> Any:
        begin = step * self._batches.batch_size
        if self._sizes:
            return tf.slice(order, [begin], [self._sizes.full])
        return order[begin : begin + self._batches.batch_size]


def _devices(strategy: Any) -> list[str]:
    """The devices that the replicas of this process compute on."""
    try:
        return list(strategy.extended.worker_devices)
    except RuntimeError:  # TensorFlow's default strategy has none: it computes where operations are placed
        return ["GPU:0" if tf.config.list_logical_devices("GPU") else "CPU:0"]


def _memory(device: str) -> str:
    """The device in whose memory tensors are held for another: all CPU devices of a process share one."""
    return "CPU:0" if ":CPU:" in device.upper() else device


def _index(replica: Any) -> int:
    """Which of the devices of this process a replica computes on."""
    found = replica.replica_id_in_sync_group
    return found if isinstance(found, int) else int(tf.get_static_value(found) or 0)
