"""Write trainkit/data/sample: 10,000 training and 2,000 test digits, chosen from the full MNIST.

python tools/make_sample.py FOLDER_WITH_MNIST [FOLDER_TO_WRITE_TO]
"""

from __future__ import annotations

import gzip
import struct
import sys
from pathlib import Path

import numpy as np

from trainkit.data.sources.mnist import mnist
from trainkit.data.sources.mnist_files import FILES
from trainkit.data.sources.sample import FOLDER
from trainkit.data.splitting import choose_stratified

TRAIN_SIZE, TEST_SIZE, SEED = 10_000, 2_000, 0


def make_sample(mnist_folder: Path, folder: Path) -> None:
    """Choose the digits by seed, each class in its share, and write them in the order of MNIST."""
    source = mnist(path=mnist_folder)
    for part, size, (images, labels) in zip(
        source.present.values(), (TRAIN_SIZE, TEST_SIZE), (FILES[:2], FILES[2:]), strict=True
    ):
        pixels, ids = (np.asarray(part.columns[name].array) for name in ("image", "label"))
        chosen = choose_stratified(ids, count=size, seed=SEED)
        write_idx(folder / f"{images}.gz", pixels[chosen, ..., 0])
        write_idx(folder / f"{labels}.gz", ids[chosen].astype(np.uint8))


def write_idx(filepath: Path, values: np.ndarray) -> None:
    """Write bytes as a gzipped IDX file that holds no time and no name."""
    header = struct.pack(f">HBB{values.ndim}I", 0, 0x08, values.ndim, *values.shape)
    filepath.write_bytes(gzip.compress(header + values.tobytes(), compresslevel=9, mtime=0))


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else FOLDER
    make_sample(Path(sys.argv[1]), folder)
    for filepath in sorted(folder.glob("*.gz")):
        print(f"{filepath}: {filepath.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
