"""`training.strategy`: TensorFlow's strategies, by its names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le

from trainkit.config import Config, SettingError
from trainkit.errors import ConfigError, InputError
from trainkit.framework import tf
from trainkit.objects import build_registered
from trainkit.training.scale import STRATEGIES
from trainkit.training.scale.cluster import ClusterKind, find_cluster

AT = ("training", "strategy")
SEVERAL = "MultiWorkerMirrored"


def strategy_of(config: Config, *, alone: bool = False) -> Any:
    """The `tf.distribute.Strategy` that a config asks for.

    Some strategies can only be made before TensorFlow has computed anything in this process.

    Args:
        config: The configuration.
        alone: Whether this process works by itself: in the place of several workers come the devices that it has.

    Raises:
        ConfigError: With the place in the file, if a device or a cluster does not exist.
    """
    chosen = config.experiment.training.strategy
    with config.locating():
        cluster = None if alone else _found()
        if not isinstance(chosen, str) and not (alone and chosen.class_name == SEVERAL):
            if cluster and chosen.class_name != SEVERAL:
                told = f"{chosen.class_name} is for one process, and {cluster.source} says that this is one of several"
                raise SettingError(AT, f"{told} ({cluster.count} workers). Write `strategy: {SEVERAL}`, or auto.")
            return build_registered(chosen, STRATEGIES, {})
        if cluster:
            return multi_worker_mirrored()
        return _automatic()


def strategy_here(config: Config) -> Any:
    """As `strategy_of` of a process by itself; where devices are missing, of those that there are."""
    try:
        return strategy_of(config, alone=True)
    except ConfigError:
        return _automatic()


def one_device(*, device: str | None = None) -> Any:
    """TensorFlow's default strategy: one replica, on the first GPU or else the CPU.

    Args:
        device: `GPU:1`, say: the device in the place of the first.

    Raises:
        InputError: If there is no such device.
    """
    if device is None:
        return tf.distribute.get_strategy()
    return tf.distribute.OneDeviceStrategy(f"/{_known([device])[0]}")


def mirrored(*, devices: list[str] | None = None, logical_cpus: Annotated[int | None, Ge(1), Le(64)] = None) -> Any:
    """A replica on each of several devices of one machine.

    Args:
        devices: `[GPU:0, GPU:1]`; by default all GPUs, or else the CPU.
        logical_cpus: So many replicas that share the CPU: no faster, but the same as on so many devices.

    Raises:
        InputError: If there is no such device.
    """
    if devices is not None and logical_cpus is not None:
        raise InputError("Mirrored takes `devices` or `logical_cpus`, not both.")
    if logical_cpus is not None:
        _divide_cpu(logical_cpus)
        devices = [f"CPU:{index}" for index in range(logical_cpus)]
    if devices is None:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.MirroredStrategy([f"/{device}" for device in _known(devices)])


def multi_worker_mirrored(
    *,
    communication: Literal["AUTO", "RING", "NCCL"] = "AUTO",
    cluster: ClusterKind = "auto",
    label: str | None = None,
    workers: Annotated[int | None, Ge(1)] = None,
    port: Annotated[int | None, Ge(1), Le(65_535)] = None,
) -> Any:
    """A replica on each device of several processes, the workers, which may be on several machines.

    Args:
        communication: How gradients are summed: `RING` (gRPC) or `NCCL` (GPUs); AUTO chooses.
        cluster: Where it is read who the workers are: `TF_CONFIG`, `Slurm` or `Kubernetes`; auto takes the first of the
            first two that there is.
        label: Of Kubernetes: the label selector of the pods, `job-name=digits`.
        workers: Of Kubernetes: how many pods there are to be.
        port: At which workers listen: with SLURM the first one of a machine, by default 8888, the others behind it; in
            Kubernetes all of them, by default 8470.

    Raises:
        InputError: If there is no such cluster.
    """
    found = find_cluster(cluster, label=label, workers=workers, port=port)
    if found is None:
        cure = "Begin it with `trainkit fit CONFIG --workers N`, by `srun`, or with TF_CONFIG in the environment."
        raise InputError(f"MultiWorkerMirrored needs a cluster of workers, and none is found. {cure}")
    return _join(communication, found)


def _automatic() -> Any:
    return mirrored() if len(tf.config.get_visible_devices("GPU")) > 1 else one_device()


def _found() -> Any:
    try:
        return find_cluster()
    except InputError as error:
        raise SettingError(AT, str(error)) from error


@cache
def _join(communication: str, cluster: Any) -> Any:
    """The strategy of a cluster: a process can join once."""
    options = tf.distribute.experimental
    implementation = options.CommunicationImplementation[communication]
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(
            cluster_resolver=cluster.resolver(),
            communication_options=options.CommunicationOptions(implementation=implementation),
        )
    except (RuntimeError, ValueError, tf.errors.OpError) as error:
        said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise InputError(f"worker {cluster.index} cannot join the others ({cluster.source}): {said}.") from error


def _divide_cpu(count: int) -> None:
    """Let TensorFlow show the CPU as several devices, which it does only before it has computed anything."""
    (cpu,) = tf.config.list_physical_devices("CPU")
    try:
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * count)
    except RuntimeError as error:  # it has begun: perhaps with as many
        there = len(tf.config.list_logical_devices("CPU"))
        if there < count:
            told = f"TensorFlow has begun with {there} in this process. Train in a process of its own"
            raise InputError(f"the CPU cannot be divided into {count} devices any more: {told}.") from error


def _known(devices: Sequence[str]) -> list[str]:
    """Devices by TensorFlow's short names.

    Raises:
        InputError: If one does not exist, or is named twice.
    """
    there = [":".join(device.name.split(":")[-2:]) for device in tf.config.list_logical_devices()]
    given = [device.upper().removeprefix("/").removeprefix("DEVICE:") for device in devices]
    for written, device in zip(devices, given, strict=True):
        if device not in there:
            raise InputError(f"there is no device {written!r} here. TensorFlow finds {', '.join(there)}.")
    if twice := [device for device, count in Counter(given).items() if count > 1]:
        raise InputError(f"each device must be named once. Received: {twice[0]!r} more than once.")
    if not given:
        raise InputError("at least one device must be named. Received: devices=[].")
    return given
