"""What is measured of one candidate file."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from trainkit.deploy.sensitivity.trials import Trials
from trainkit.errors import ExportError


def refuse(exclude):
    raise ExportError("digits cannot be written: no kernel.")


@pytest.mark.parametrize(
    ("quantize", "told"),
    [(lambda exclude: b"no model", "cannot be run by LiteRT"), (refuse, "digits cannot be written: no kernel.")],
    ids=["LiteRT", "converter"],
)
def test_file_that_is_refused_is_a_failing_trial(quantize, told, proof):
    trials = Trials(SimpleNamespace(preprocess=None, quantize=quantize), proof, accuracy_drop=0.5)
    trial = trials.of(["conv"])
    assert (trial.passed, trial.error, trial.drop_points) == (False, 1.0, None)
    assert told in trial.reason
    assert trials.count == 1
