"""Estimates of energy, against arithmetic on paper from the published costs."""

from __future__ import annotations

import pytest

from trainkit.deploy.benchmark.energy import estimate_energy


@pytest.mark.parametrize(
    ("arithmetic", "picojoules"),
    [("float32", 3.7 + 0.9), ("float16", 1.1 + 0.4), ("int8", 0.2 + 0.1)],
    ids=["float32", "float16", "int8"],
)
def test_arithmetic_is_a_multiplication_and_an_addition_each(arithmetic, picojoules):
    energy = estimate_energy(2_000_000, 0, arithmetic=arithmetic)
    assert energy.arithmetic_uj == pytest.approx(2 * picojoules)
    assert (energy.weights_sram_uj, energy.weights_dram_uj) == (0.0, (0.0, 0.0))


def test_weights_are_read_eight_bytes_at_a_time():
    energy = estimate_energy(0, 16_000, arithmetic="int8")  # 2,000 reads
    assert energy.weights_sram_uj == pytest.approx(0.2)
    assert energy.weights_dram_uj == pytest.approx((2.6, 5.2))
