"""The network of a config -> tf.keras.Model, and back; what it costs."""

from trainkit.models.build import build_model
from trainkit.models.costs import LayerCost, layer_costs
from trainkit.models.describe import describe_network

__all__ = ["LayerCost", "build_model", "describe_network", "layer_costs"]
