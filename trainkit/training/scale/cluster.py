"""Who the workers of a training are: TF_CONFIG, SLURM or Kubernetes, through TensorFlow's cluster resolvers."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainkit.errors import InputError, shown
from trainkit.framework import tf
from trainkit.training.scale.pods import Pods

ClusterKind = Literal["auto", "TF_CONFIG", "Slurm", "Kubernetes"]
SLURM_PORT, PODS_PORT = 8888, 8470
PODS_SECONDS = 600
"""How long all pods of a job may take to run."""


@dataclass(frozen=True)
class Cluster:
    """The workers of a training.

    Args:
        chief: The address `host:port` of the worker that writes, if it is named apart.
        workers: The addresses of the others.
        task: `chief` or `worker`, which this process is.
        task_index: Which of these.
        source: What says so.
    """

    chief: tuple[str, ...]
    workers: tuple[str, ...]
    task: str
    task_index: int
    source: str

    @property
    def count(self) -> int:
        """How many workers there are, the chief too."""
        return len(self.chief) + len(self.workers)

    @property
    def index(self) -> int:
        """Which of all this process is."""
        return self.task_index + (len(self.chief) if self.task == "worker" else 0)

    def resolver(self) -> Any:
        """The same for TensorFlow."""
        tasks = {"chief": list(self.chief), "worker": list(self.workers)}
        return tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({name: addresses for name, addresses in tasks.items() if addresses}),
            task_type=self.task,
            task_id=self.task_index,
            num_accelerators={"GPU": len(tf.config.get_visible_devices("GPU"))},
            rpc_layer="grpc",
        )


def find_cluster(
    kind: ClusterKind = "auto", *, label: str | None = None, workers: int | None = None, port: int | None = None
) -> Cluster | None:
    """The workers of the training that this process is part of; None where it is alone.

    Args:
        kind: Where to look; auto: at TF_CONFIG, or else at SLURM.
        label: Of Kubernetes: the label selector of the pods.
        workers: Of Kubernetes: how many there are to be.
        port: At which workers listen.

    Raises:
        InputError: If what is there cannot be understood.
    """
    if kind == "TF_CONFIG" or (kind == "auto" and os.environ.get("TF_CONFIG", "").strip()):
        found = _of_tf_config()
    elif kind == "Slurm" or (kind == "auto" and int(os.environ.get("SLURM_STEP_NUM_TASKS") or 1) > 1):
        found = _of_slurm(port or SLURM_PORT)
    elif kind == "Kubernetes":
        found = _of_kubernetes(label, workers, port or PODS_PORT)
    else:
        return None
    return found if kind != "auto" or (found and found.count > 1) else None


def _of_tf_config() -> Cluster | None:
    written = os.environ.get("TF_CONFIG", "")
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    try:
        tasks, task, index = resolver.cluster_spec().as_dict(), resolver.task_type, resolver.task_id
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise _misread(written, f"{type(error).__name__}: {error}") from error
    if not tasks:
        return None
    return _checked(tasks, task, index, written)


def _checked(tasks: Mapping[str, list[str]], task: str | None, index: int | None, written: str) -> Cluster:
    if task not in ("chief", "worker"):
        raise _misread(written, f"its `task` must be a chief or worker, and is {task!r}")
    others = sorted(tasks.keys() - {"chief", "worker"})
    if others:
        raise _misread(written, f"its `cluster` must have a chief and workers only, and has {', '.join(others)}")
    if index is None or not 0 <= index < len(tasks.get(task, ())):
        raise _misread(written, f"its `cluster` has no {task} {index}")
    return Cluster(tuple(tasks.get("chief", ())), tuple(tasks.get("worker", ())), task, index, "TF_CONFIG")


def _misread(written: str, why: str) -> InputError:
    example = json.dumps({"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}})
    return InputError(f"TF_CONFIG must be as in {example}: {why}. Received: {shown(written)}.")


def _of_slurm(port: int) -> Cluster:
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS") or 1)
    try:  # what it would say of GPUs fails where there are none: each worker counts its own
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            port_base=port, gpus_per_node=tasks, gpus_per_task=1, auto_set_gpu=False
        )
        workers = resolver.cluster_spec().as_dict()["worker"]
    except (RuntimeError, ValueError, KeyError) as error:
        raise InputError(f"SLURM's environment cannot be understood: {error}. Start workers with `srun`.") from error
    _, index = resolver.get_task_info()
    _take_gpus(workers, index)
    return Cluster((), tuple(workers), "worker", index, "SLURM")


def _take_gpus(workers: list[str], index: int) -> None:
    """Divide the GPUs that several tasks of a machine see alike; SLURM may have given each its own."""
    hosts = [address.rpartition(":")[0] for address in workers]
    count, rank = hosts.count(hosts[index]), hosts[:index].count(hosts[index])
    gpus = tf.config.list_physical_devices("GPU")
    if count == 1 or len(gpus) < count or "SLURM_GPUS_PER_TASK" in os.environ:
        return
    try:
        tf.config.set_visible_devices(gpus[rank * len(gpus) // count : (rank + 1) * len(gpus) // count], "GPU")
    except RuntimeError as error:
        raise InputError("the GPUs of the machine cannot be divided any more: TensorFlow has begun.") from error


def _of_kubernetes(label: str | None, workers: int | None, port: int) -> Cluster:
    if label is None or workers is None:
        raise InputError("Kubernetes needs `label`, the label selector of the pods, and `workers`, how many there are.")
    resolver = tf.distribute.cluster_resolver.KubernetesClusterResolver(
        {"worker": [label]}, tf_server_port=port, override_client=Pods()
    )
    addresses = _all_running(resolver, label, workers)
    own = f"{os.environ.get('POD_IP') or socket.gethostbyname(socket.gethostname())}:{port}"
    if own not in addresses:
        told = f"the pods of {label!r} are at {', '.join(addresses)}, and this one is at {own}"
        raise InputError(f"{told}. Set POD_IP from status.podIP.")
    return Cluster((), tuple(addresses), "worker", addresses.index(own), "Kubernetes")


def _all_running(resolver: Any, label: str, workers: int) -> list[str]:
    """The addresses of the pods, as soon as there are so many and all of them run."""
    until, told = time.monotonic() + PODS_SECONDS, ""
    while time.monotonic() < until:
        try:
            addresses = resolver.cluster_spec().as_dict().get("worker", [])
        except RuntimeError as error:  # one that does not run yet
            told = str(error)
        else:
            if len(addresses) == workers:
                return list(addresses)
            told = f"there are {len(addresses)}"
        time.sleep(2)
    raise InputError(f"{workers} pods of {label!r} must run within {PODS_SECONDS} s: {told}.")
