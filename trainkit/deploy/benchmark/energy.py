"""What an inference may cost in energy: an estimate from published costs of single operations, nothing measured.

energy = MACs × (multiplication + addition) + bytes of weights ÷ 8 × a read of 64 bits

A multiply-accumulate is counted in the type of the weights: float32 by a float32 multiplication and addition, int8 by
an int8 multiplication and an int32 addition, which is what adds its products up. Weights are read once an inference:
from a memory of 1 MB on the chip at best, from DRAM at worst. Activations, the processor's own work and its idling are
left out, and a phone of today is not made in 45 nm: the estimate compares files, it says nothing of a battery.

Reference:
    Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9: 45 nm, 0.9 V.
"""

from __future__ import annotations

from dataclasses import dataclass

MULTIPLY_PJ = {"int8": 0.2, "float16": 1.1, "float32": 3.7}
ADD_PJ = {"int8": 0.1, "float16": 0.4, "float32": 0.9}
"""By type; int8 is added up in int32."""
SRAM_PJ = 100.0
"""64 bits from a cache of 1 MB."""
DRAM_PJ = (1300.0, 2600.0)
"""64 bits from DRAM."""
READ_BYTES = 8


@dataclass(frozen=True)
class Energy:
    """An estimate for one sample, in microjoules.

    Args:
        arithmetic_uj: Of the multiply-accumulates.
        weights_sram_uj: Of reading the weights once from 1 MB of SRAM.
        weights_dram_uj: Of reading them once from DRAM, from the least to the most.
    """

    arithmetic_uj: float
    weights_sram_uj: float
    weights_dram_uj: tuple[float, float]


def estimate_energy(macs: int, weight_bytes: int, *, arithmetic: str) -> Energy:
    """Estimate the energy of an inference.

    Args:
        macs: Multiply-accumulates of a sample.
        weight_bytes: Of the file.
        arithmetic: A key of `MULTIPLY_PJ`.

    Example:
        >>> estimate_energy(1_000_000, 8_000_000, arithmetic="int8").weights_sram_uj
        100.0
    """
    reads = weight_bytes / READ_BYTES
    low, high = DRAM_PJ
    return Energy(
        arithmetic_uj=macs * (MULTIPLY_PJ[arithmetic] + ADD_PJ[arithmetic]) / 1e6,
        weights_sram_uj=reads * SRAM_PJ / 1e6,
        weights_dram_uj=(reads * low / 1e6, reads * high / 1e6),
    )
