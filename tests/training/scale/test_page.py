"""The times on docs/scale.md follow from its formula."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[3] / "docs/scale.md").read_text()
PARAMETERS = {
    name: int(count.replace(",", ""))
    for name, count in re.findall(r"(LeNet-5|ResNet-50)(?: of the zoo has)? ([\d,]{7,})", PAGE)
}
BYTES_PER_SECOND = (0.125e9, 1.25e9, 12.5e9, 300e9)
ROWS = re.findall(r"^\| (LeNet-5|ResNet-50) \| (\d+) \| (.*) \|$", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize(("network", "replicas", "cells"), ROWS, ids=[f"{row[0]}-{row[1]}" for row in ROWS])
def test_page_has_the_times_of_a_ring(network, replicas, cells):
    count = int(replicas)
    seconds = [2 * (count - 1) / count * 4 * PARAMETERS[network] / speed for speed in BYTES_PER_SECOND]
    told = [float(cell.replace(",", "")) for cell in cells.split(" | ")]
    assert told == pytest.approx([1000 * one for one in seconds], rel=5e-3)


def test_page_counts_the_parameters_that_learn():
    from trainkit.framework import tf

    model = tf.keras.applications.ResNet50(weights=None)
    assert PARAMETERS["ResNet-50"] == sum(weight.shape.num_elements() for weight in model.trainable_weights)
    assert len(ROWS) == 4
