"""The network of a config -> tf.keras.Model, and back."""

from trainkit.models.build import build_model
from trainkit.models.describe import describe_network
from trainkit.models.summary import LayerSummary, summarize

__all__ = ["LayerSummary", "build_model", "describe_network", "summarize"]
