"""Quantization-aware training: where a network is rounded, how it trains, and what comes of it."""

from trainkit.deploy.compress.quantization.quantization_aware import QuantizationAware
from trainkit.deploy.compress.quantization.report import LayerReport

__all__ = ["LayerReport", "QuantizationAware"]
