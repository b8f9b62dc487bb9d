"""What sparse weights take, coded by `trainkit.coding`, by their entropy, and by packers that know nothing of kernels.

    python benchmarks/weight_coding.py [kernels.npz]

The kernels are drawn: sparse ones with even and with uneven rows and columns, spots of an image, and a dense one.
`kernels.npz` is an archive of integers of your own. constriction, if it is installed, codes with the true
frequencies, which nobody has to be told.
"""

from __future__ import annotations

import lzma
import sys
import time
import zlib

import numpy as np

from trainkit.coding import decode_integers, encode_integers


def draw_kernels() -> dict[str, tuple[np.ndarray, tuple[int, int, int] | None]]:
    """Kernels by what they are, with the geometry of their inputs."""
    draw = np.random.default_rng(0)
    rows, columns = np.exp(draw.normal(0, 1, (800, 1))), np.exp(draw.normal(0, 1, (1, 500)))
    uneven = draw.random((800, 500)) < 0.012 * rows * columns
    places = np.hypot(*(np.mgrid[:28, :28, :300][:2] - draw.uniform(6, 22, (2, 1, 1, 300)))) < draw.uniform(1, 4, 300)
    return {
        "98% zeros, no pattern, 800 × 500": (
            np.where(draw.random((800, 500)) < 0.02, _sizes(draw, (800, 500)), 0),
            None,
        ),
        "98% zeros, uneven rows and columns": (np.where(uneven, _sizes(draw, (800, 500)), 0), None),
        "spots of an image, 784 × 300": ((places * (_sizes(draw, places.shape))).reshape(784, 300), (28, 28, 1)),
        "dense, Laplacian, 300 × 100": (np.rint(draw.laplace(0, 1, (300, 100))).astype(int), None),
    }


def _sizes(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return draw.geometric(0.6, shape) * draw.choice([-1, 1], shape)


def entropy_bytes(values: np.ndarray) -> float:
    """Of the values, if nothing is known of their places; what frequencies they have is not counted."""
    shares = np.unique(values, return_counts=True)[1] / values.size
    return float(-(shares * np.log2(shares)).sum() * values.size / 8)


def constriction_bytes(values: np.ndarray) -> int | None:
    """By the range coder of constriction, with the frequencies that the values have."""
    try:
        import constriction
    except ImportError:
        return None
    found, numbers = np.unique(values, return_inverse=True)
    shares = np.bincount(numbers.ravel(), minlength=len(found)) / values.size
    encoder = constriction.stream.queue.RangeEncoder()
    model = constriction.stream.model.Categorical(shares.astype(np.float32), perfect=False)
    encoder.encode(numbers.ravel().astype(np.int32), model)
    return 4 * len(encoder.get_compressed())


def main() -> None:
    kernels = draw_kernels()
    for filepath in sys.argv[1:]:
        kernels |= {name: (values, None) for name, values in np.load(filepath).items()}
    print(
        "| kernel | entropy | zlib | lzma | constriction | TrainKit | encode, decode |\n|---|---|---|---|---|---|---|"
    )
    for name, (values, geometry) in kernels.items():
        content = values.astype(np.int8 if np.abs(values).max() < 128 else np.int32).tobytes()
        began = time.process_time()
        coded = encode_integers(values, geometry=geometry)
        between = time.process_time()
        assert np.array_equal(decode_integers(coded, values.shape, geometry=geometry), values)
        seconds = f"{between - began:.1f}, {time.process_time() - between:.1f} s"
        others = [entropy_bytes(values), len(zlib.compress(content, 9)), len(lzma.compress(content, preset=9))]
        known = constriction_bytes(values)
        figures = [f"{one:,.0f}" for one in others] + ["–" if known is None else f"{known:,}", f"**{len(coded):,}**"]
        print(f"| {name} | {' | '.join(figures)} | {seconds} |")


if __name__ == "__main__":
    main()
