"""What the training runs on, and why not on a GPU."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from dataclasses import dataclass

from trainkit.framework import tf


@dataclass(frozen=True)
class Devices:
    """The devices of a training.

    Args:
        names: `GPU:0 NVIDIA A100`, or `CPU`.
        why_no_gpu: A sentence, or nothing where a GPU is used.
    """

    names: tuple[str, ...]
    why_no_gpu: str = ""

    def __str__(self) -> str:
        return f"{', '.join(self.names)}{f' ({self.why_no_gpu})' if self.why_no_gpu else ''}"


def choose_devices() -> Devices:
    """Find the GPUs that TensorFlow can use, and let it take their memory as it is needed, not all at once."""
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return Devices((f"CPU, {len(os.sched_getaffinity(0))} cores",), _why_no_gpu())
    names = []
    for index, gpu in enumerate(gpus):
        with suppress(RuntimeError):  # the GPU is in use already, by an earlier training of this process
            tf.config.experimental.set_memory_growth(gpu, True)
        details = tf.config.experimental.get_device_details(gpu)
        names.append(f"GPU:{index} {details.get('device_name', '')}".strip())
    return Devices(tuple(names))


def _why_no_gpu() -> str:
    if os.environ.get("CUDA_VISIBLE_DEVICES", "unset").strip() in ("", "-1"):
        return "no GPU: CUDA_VISIBLE_DEVICES hides them all"
    if not tf.test.is_built_with_cuda():
        return "no GPU: this TensorFlow is built without CUDA"
    if not glob.glob("/dev/nvidia[0-9]*"):
        return "no GPU: the machine shows no NVIDIA device"
    return "no GPU: TensorFlow finds no CUDA libraries; install the extra `gpu`"
