"""What several replicas would not compute as one device does is refused, with its place."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.errors import ConfigError
from trainkit.training.outputs import outputs_of
from trainkit.training.scale.rules import check_replicas

SUM = "training.loss={SparseCategoricalCrossentropy: {reduction: sum}}"
XLA = "training.execution={jit_compile: true}"


def check(filepath, override, *, replicas):
    config = load_config(filepath, [override])
    outputs = outputs_of(config.experiment, load_data(config).train.facts)
    with config.locating():
        check_replicas(config.experiment.training, outputs.values(), SimpleNamespace(num_replicas_in_sync=replicas))


@pytest.mark.parametrize("override", [SUM, XLA], ids=["sum", "xla"])
def test_check_replicas_lets_one_replica_do_what_it_can(small_config, override):
    check(small_config, override, replicas=1)


@pytest.mark.parametrize(
    ("override", "place", "message"),
    [
        (
            SUM,
            "training.loss",
            r"`reduction` must be sum_over_batch_size with several replicas \(3\).* Received: 'sum'",
        ),
        (XLA, "training.execution", r"jit_compile: must be false with several replicas.* Received: true, 3 replicas"),
    ],
    ids=["sum", "xla"],
)
def test_check_replicas_refuses_what_several_cannot_do(small_config, override, place, message):
    with pytest.raises(ConfigError, match=message) as failure:
        check(small_config, override, replicas=3)
    assert place in str(failure.value)
