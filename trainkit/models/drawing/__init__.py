"""Pictures of networks: layout and drawing."""

from trainkit.models.drawing.draw import draw_network

__all__ = ["draw_network"]
