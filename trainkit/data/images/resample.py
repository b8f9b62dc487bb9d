"""Interpolation that Pillow lacks: by area, and with a filter that is not widened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def resample(
    image: np.ndarray, height: int, width: int, box: tuple[float, float, float, float], method: str
) -> np.ndarray:
    """Interpolate a part of an image, as `tf.image.resize` does without antialiasing.

    Args:
        image: uint8, shape `(rows, columns)` or `(rows, columns, channels)`.
        height: Of what is returned.
        width: Of what is returned.
        box: Left, top, right and bottom of the part.
        method: `bilinear`, `bicubic`, `lanczos` or `area`.

    Returns:
        uint8, shape `(height, width)` or `(height, width, channels)`.

    Example:
        >>> resample(np.array([[0, 100, 200, 60]], np.uint8), 1, 2, (0, 0, 4, 1), "area")
        array([[ 50, 130]], dtype=uint8)
    """
    left, top, right, bottom = box
    along = _mean if method == "area" else _sample
    rows = along(image, np.linspace(top, bottom, height + 1), method)
    values = along(rows.swapaxes(0, 1), np.linspace(left, right, width + 1), method).swapaxes(0, 1)
    return np.rint(values).clip(0, 255).astype(np.uint8)


def _triangle(distance: np.ndarray) -> np.ndarray:
    return np.maximum(0, 1 - np.abs(distance))


def _cubic(distance: np.ndarray) -> np.ndarray:
    """The kernel of Keys, "Cubic convolution interpolation", 1981, with a = -1/2."""
    far = np.abs(distance)
    return np.where(far <= 1, (1.5 * far - 2.5) * far**2 + 1, np.maximum(0, 2 - far) ** 2 * (1 - far) / 2)


def _lanczos(distance: np.ndarray) -> np.ndarray:
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


_KERNELS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _cubic),
    "lanczos": (3, _lanczos),
}


def _sample(values: np.ndarray, edges: np.ndarray, method: str) -> np.ndarray:
    """Values at the middle between each two edges, along the first axis; what lies outside has no weight."""
    radius, kernel = _KERNELS[method]
    centres = ((edges[:-1] + edges[1:]) / 2 - 0.5)[:, np.newaxis]
    taps = np.floor(centres).astype(int) + np.arange(1 - radius, radius + 1)
    weights = kernel(centres - taps) * ((taps >= 0) & (taps < len(values)))
    weights /= weights.sum(axis=1, keepdims=True)
    near = values[taps.clip(0, len(values) - 1)]
    return np.einsum("st,st...->s...", weights.astype(np.float32), near.astype(np.float32))


def _mean(values: np.ndarray, edges: np.ndarray, method: str) -> np.ndarray:
    """The mean between each two edges, along the first axis; a value that is cut by an edge counts in part."""
    whole = np.minimum(edges.astype(int), len(values) - 1)
    parts = (edges - whole).reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
    cut = values[whole] * parts
    inside = np.add.reduceat(values, whole, axis=0, dtype=np.float32)[:-1]
    inside[whole[:-1] == whole[1:]] = 0  # reduceat gives a value where it should give the sum of none
    return (inside + cut[1:] - cut[:-1]) / np.float32(edges[1] - edges[0])
