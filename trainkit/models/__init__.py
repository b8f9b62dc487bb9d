"""The network of a config -> tf.keras.Model."""

from trainkit.models.build import build_model
from trainkit.models.summary import LayerSummary, summarize

__all__ = ["LayerSummary", "build_model", "summarize"]
