"""What a network costs: multiplications, weights and memory, layer by layer."""

from trainkit.models.costs.amount import Amount, amount_of, total
from trainkit.models.costs.kept import kept_activations
from trainkit.models.costs.layers import LayerCost, layer_costs
from trainkit.models.costs.macs import count_macs
from trainkit.models.costs.peak import Peak, peak_memory

__all__ = [
    "Amount",
    "LayerCost",
    "Peak",
    "amount_of",
    "count_macs",
    "kept_activations",
    "layer_costs",
    "peak_memory",
    "total",
]
