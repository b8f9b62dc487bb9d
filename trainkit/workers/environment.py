"""The environment of each worker: who the others are, and its part of cores and GPUs."""

from __future__ import annotations

import glob
import json
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack

from trainkit.errors import InputError

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports at which nobody listens now; TensorFlow's server cannot take one that is held for it."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def environment_of(index: int, ports: list[int], gpus: list[str] | None) -> dict[str, str]:
    """What a worker has in its environment besides.

    Args:
        index: Of the worker.
        ports: Of all workers.
        gpus: Those of the machine, by the names that CUDA knows; None for none.
    """
    cluster = {"worker": [f"{HOST}:{port}" for port in ports]}
    told = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})}
    threads = str(max(len(os.sched_getaffinity(0)) // len(ports), 1))
    told |= {name: threads for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS") if name not in os.environ}
    if gpus is not None:
        own = gpus[index * len(gpus) // len(ports) : (index + 1) * len(gpus) // len(ports)]
        told["CUDA_VISIBLE_DEVICES"] = ",".join(own)
    return told


def gpus_for(workers: int, environment: Mapping[str, str]) -> list[str] | None:
    """The GPUs that some workers share, each to have its own; None where there are none.

    Raises:
        InputError: If there are fewer than workers.
    """
    shown = environment.get("CUDA_VISIBLE_DEVICES")
    there = [path.removeprefix("/dev/nvidia") for path in sorted(glob.glob("/dev/nvidia[0-9]*"))]
    gpus = there if shown is None else [name for name in shown.split(",") if name.strip() not in ("", "-1")]
    if not there or not gpus:
        return None
    if len(gpus) < workers:
        cure = "CUDA_VISIBLE_DEVICES= in the environment lets them train on the CPU"
        raise InputError(f"--workers must be at most {len(gpus)}, a GPU for each. Received: {workers}. {cure}.")
    return gpus
