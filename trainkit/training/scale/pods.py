"""The pods of a Kubernetes job, as TensorFlow's resolver asks for them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from trainkit.errors import InputError

NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class Pods:
    """A client of Kubernetes that knows the pods of its own namespace, each by an address of its own.

    TensorFlow's resolver asks for the pods of all namespaces, which takes the rights of an administrator, and takes the
    address of the machine that a pod runs on, which several may share.

    Raises:
        InputError: If the package `kubernetes` is missing, or this is no pod.
    """

    def __init__(self) -> None:
        try:
            from kubernetes import client, config  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise InputError("needs the package `kubernetes`: install the extra `trainkit[kubernetes]`.") from error
        try:
            config.load_incluster_config()
        except config.ConfigException as error:
            raise InputError(f"is no pod that may ask Kubernetes for others: {error}.") from error
        self._client = client.CoreV1Api()

    def list_pod_for_all_namespaces(self, *, label_selector: str) -> Any:
        """The pods of a label in this namespace; `host_ip` is the address of the pod."""
        found = self._client.list_namespaced_pod(NAMESPACE.read_text().strip(), label_selector=label_selector)
        return SimpleNamespace(items=[_with_own_address(pod) for pod in found.items])


def _with_own_address(pod: Any) -> Any:
    status = SimpleNamespace(phase=pod.status.phase, host_ip=pod.status.pod_ip)
    return SimpleNamespace(metadata=pod.metadata, status=status)
