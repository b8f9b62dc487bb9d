"""A Keras model, timed as `predict_on_batch` runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainkit.inference.keras import KerasPredictor, _encode
from trainkit.inference.timing.runtime import whole_batches
from trainkit.inference.timing.saved_model import NO_PROFILE, bytes_by_dtype, use_threads


class TimedKeras:
    """A .keras or .h5 file behind the contract of what is timed: `model.predict_on_batch`.

    Args:
        filepath: The file.
        threads: That TensorFlow may use, within an operation and for several.
        config: The resolved config of its run, where that has Python code of its own, which may run.

    Raises:
        InputError: If the file holds Python code.
        PredictionError: If it cannot be opened.
    """

    RUNTIME = "Keras, predict_on_batch"

    def __init__(self, filepath: Path, *, threads: int, config: str | None = None) -> None:
        use_threads(threads)
        if config is not None:
            _run_code_of(config)
        self._predictor = KerasPredictor(filepath)
        self.inputs = self._predictor.inputs

    def feeds(self, inputs: Mapping[str, np.ndarray], batch: int) -> list[Any]:
        """See `TimedModel.feeds`."""
        encoded = {name: _encode(inputs[name], facts.dtype) for name, facts in self.inputs.items()}
        return [list(one.values()) if len(one) > 1 else one.popitem()[1] for one in whole_batches(encoded, batch)]

    def run(self, feed: Any) -> Any:
        """See `TimedModel.run`."""
        return self._predictor.model.predict_on_batch(feed)

    def facts(self) -> dict[str, Any]:
        """`weights`, and `macs` of a sample; None where that is open."""
        from trainkit.models.costs import layer_costs

        amounts = [cost.macs for cost in layer_costs(self._predictor.model)]
        known = [amount.fixed for amount in amounts if amount is not None and not amount.is_open]
        macs = sum(known) if len(known) == len(amounts) else None
        return {"weights": bytes_by_dtype(self._predictor.model.weights), "macs": macs}

    def profile(self, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, Any]:
        """See `TimedModel.profile`."""
        del inputs, seconds
        return {"operations": [], "runs": 0, "note": NO_PROFILE}


def _run_code_of(config: str) -> None:
    """Run the Python code of a run, which the parent was allowed to."""
    from trainkit.config import load_config, permit_code

    permit_code()
    load_config(config)
