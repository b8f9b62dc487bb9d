"""A model -> the `model:` section that builds the same network."""

from trainkit.models.describe.network import Description, describe, describe_network

__all__ = ["Description", "describe", "describe_network"]
