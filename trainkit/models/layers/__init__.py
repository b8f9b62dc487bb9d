"""Layers that Keras does not have. Importing it registers them, so that a saved model finds them."""

from trainkit.models.layers.impute import Impute

__all__ = ["Impute"]
