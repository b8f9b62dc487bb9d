"""A Keras callback that lets epochs wait until they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from channel import Channel


def waiting(callback_class: Any, channel: Channel, *, ready: Callable[[Any], dict[str, Any]] | None = None) -> Any:
    """A class of callbacks that wait before an epoch, and answer with its seconds before the next one.

    The seconds are those from one epoch's begin to the next one's, with all that stands between: what else is called at
    the end of an epoch, its checkpoint. `steps` are those until its end is told. There is no hook of batches.

    Args:
        callback_class: Keras' Callback.
        channel: Where it is asked.
        ready: From the model to what the first answer has beside the count of what learns; none by default.
    """

    class Waiting(callback_class):
        began = 0.0

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            now = time.perf_counter()
            if self.began:
                channel.answer(seconds=now - self.began, steps=self.ended - self.began, logs=self.logs)
            else:
                learned = sum(int(weight.shape.num_elements()) for weight in self.model.trainable_weights)
                channel.answer(learned=learned, **(ready(self.model) if ready else {}))
            channel.wait()
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.ended = time.perf_counter()
            self.logs = {name: float(value) for name, value in (logs or {}).items()}

    return Waiting
