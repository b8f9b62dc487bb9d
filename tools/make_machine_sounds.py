"""Write synthetic spectra of a machine for the autoencoder of MLPerf Tiny: they are made up, no machine was recorded.

python tools/make_machine_sounds.py machine.npz             # 6,000 normal sounds to train on
python tools/make_machine_sounds.py test.npz --seed 2 --count 1000

As in that benchmark a sample is five frames of 128 mel bands in decibels, 640 numbers. A machine has harmonics of a
speed that varies, a hiss that falls with the band, and a slow throb; in one of a hundred samples somebody knocks at
it: a frame is 70 dB louder. Each sample is learned as what it is itself.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

BANDS, FRAMES = 128, 5
KNOCKS, KNOCK_DECIBELS = 0.01, 70.0


def make_sounds(count: int, *, seed: int) -> np.ndarray:
    """Decibels, shape `(count, 640)`, float32."""
    random = np.random.default_rng(seed)
    speed = random.normal(9.0, 0.35, (count, 1, 1))
    loudness = random.normal(0.0, 2.0, (count, 1, 1))
    throb = 2.5 * np.sin(random.uniform(0, 2 * np.pi, (count, 1, 1)) + np.arange(FRAMES)[None, :, None])
    bands = np.arange(BANDS)[None, None, :]
    power = np.full((count, FRAMES, BANDS), 1e-7)
    for harmonic in range(1, 12):
        gain = 10 ** ((-3 * harmonic + loudness + throb) / 10)
        power = power + gain * np.exp(-0.5 * ((bands - speed * harmonic) / 1.2) ** 2)
    hiss = 10 ** ((-18 - 0.12 * bands + 0.6 * loudness) / 10)
    power = power + hiss * random.gamma(8.0, 1 / 8.0, power.shape)
    knocked = random.uniform(size=(count, 1, 1)) < KNOCKS
    frame = np.arange(FRAMES)[None, :, None] == random.integers(FRAMES, size=(count, 1, 1))
    power = power * np.where(knocked & frame, 10 ** (KNOCK_DECIBELS / 10), 1.0)
    return (10 * np.log10(power)).reshape(count, FRAMES * BANDS).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("filepath", type=Path)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sounds = make_sounds(arguments.count, seed=arguments.seed)
    np.savez(arguments.filepath, spectrum=sounds, copy=sounds)


if __name__ == "__main__":
    main()
