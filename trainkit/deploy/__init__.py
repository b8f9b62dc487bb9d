"""From a trained model to files for phones, each proved to answer like the model."""

from trainkit.deploy.deploy import deploy

__all__ = ["deploy"]
