"""A NaN ends a training with its sample; what was committed before it is whole, and the training goes on exactly."""

from __future__ import annotations

import re

import numpy as np
import pytest

from trainkit.framework import tf
from trainkit.runs.checkpoints import Checkpoints

from .comparison import differences

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("row", [17, 2_345, 8_888])
def test_nan_in_a_sample(row, whole, begin):
    training = begin("constant")
    ended = training.fit(fault={"nan": row})
    assert ended.code == 1, ended.err
    assert "Traceback" not in ended.err
    (line,) = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    told = rf"step \d+: the input `input` has NaN .*These are .*image {row}\. The checkpoint of step \d+ is the last"
    assert re.search(told, line), line
    checkpoints = Checkpoints(training.run.checkpoints)
    assert checkpoints.newest()[1] == []
    for step in checkpoints.steps():
        reader = tf.train.load_checkpoint(str(checkpoints.at(step) / "variables"))
        values = [reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "OBJECT_GRAPH" not in name]
        assert all(np.isfinite(value).all() for value in values if value.dtype.kind == "f")
    assert training.fit().code == 0
    assert differences(training.run, whole("constant").run) == []
