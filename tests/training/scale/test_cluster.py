"""Who the workers are, as TF_CONFIG, SLURM and Kubernetes say it."""

from __future__ import annotations

import json
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from trainkit.errors import InputError
from trainkit.training.scale import cluster, pods
from trainkit.training.scale.cluster import find_cluster


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in [name for name in os.environ if name == "TF_CONFIG" or name.startswith("SLURM_")]:
        monkeypatch.delenv(name)


def set_config(monkeypatch, tasks, task, index):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": tasks, "task": {"type": task, "index": index}}))


def test_cluster_is_none_for_a_process_alone(monkeypatch):
    assert find_cluster() is None
    set_config(monkeypatch, {"worker": ["a:1"]}, "worker", 0)
    assert find_cluster() is None
    assert find_cluster("TF_CONFIG").count == 1


@pytest.mark.parametrize(
    ("tasks", "task", "index", "expected"),
    [
        ({"worker": ["a:1", "b:1", "c:1"]}, "worker", 2, (3, 2)),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "chief", 0, (3, 0)),
        ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, "worker", 1, (3, 2)),
    ],
    ids=["workers", "chief", "behind-a-chief"],
)
def test_cluster_of_tf_config(monkeypatch, tasks, task, index, expected):
    set_config(monkeypatch, tasks, task, index)
    found = find_cluster()
    assert (found.count, found.index) == expected
    resolver = found.resolver()
    assert resolver.cluster_spec().as_dict() == tasks
    assert (resolver.task_type, resolver.task_id) == (task, index)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{", "JSONDecodeError"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "its `task` must be a chief or worker, and is None"),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            "its `cluster` has no worker 2",
        ),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "worker", "index": 0}}',
            "its `cluster` must have a chief and workers only, and has ps",
        ),
    ],
    ids=["json", "task", "index", "ps"],
)
def test_cluster_of_a_wrong_tf_config_is_told(monkeypatch, written, why):
    monkeypatch.setenv("TF_CONFIG", written)
    with pytest.raises(InputError, match=r"^TF_CONFIG must be as in \{.*\}: ") as caught:
        find_cluster()
    assert why in str(caught.value)
    assert f"Received: {written!r:.60}"[:60] in str(caught.value)


@pytest.mark.parametrize(
    ("rank", "address"), [(0, "node07:8888"), (1, "node07:8889"), (2, "node08:8888"), (4, "node12:8888")]
)
def test_cluster_of_slurm(monkeypatch, rank, address):
    step = {"STEP_NUM_TASKS": "5", "STEP_NODELIST": "node[07-08,12]", "STEP_TASKS_PER_NODE": "2(x2),1"}
    for name, value in (step | {"PROCID": str(rank)}).items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    found = find_cluster()
    assert (found.count, found.index, found.source) == (5, rank, "SLURM")
    assert found.workers[found.index] == address
    assert find_cluster("Slurm", port=7000).workers[0] == "node07:7000"


def test_cluster_of_a_batch_script_of_slurm_is_none(monkeypatch):
    monkeypatch.setenv("SLURM_NTASKS", "4")  # the script itself; its steps are begun by srun
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert find_cluster() is None
    with pytest.raises(InputError, match=r"SLURM's environment cannot be understood: .*Start workers with `srun`"):
        find_cluster("Slurm")


@pytest.mark.parametrize(("rank", "own"), [(0, "ab"), (1, "cd"), (2, "abcd")])
def test_tasks_of_slurm_on_one_machine_divide_its_gpus(monkeypatch, rank, own):
    given = []
    monkeypatch.setattr(cluster.tf.config, "list_physical_devices", lambda kind: list("abcd"))
    monkeypatch.setattr(cluster.tf.config, "set_visible_devices", lambda devices, kind: given.append("".join(devices)))
    cluster._take_gpus(["m:1", "m:2", "n:1"], rank)
    assert given == ([own] if rank < 2 else [])
    monkeypatch.setenv("SLURM_GPUS_PER_TASK", "4")
    cluster._take_gpus(["m:1", "m:2", "n:1"], rank)
    assert len(given) == (rank < 2)


@pytest.fixture
def kubernetes(monkeypatch, tmp_path):
    """A package `kubernetes` whose pods are a list."""
    running = []

    def list_namespaced_pod(namespace, *, label_selector):
        assert (namespace, label_selector) == ("mine", "job-name=digits")
        return SimpleNamespace(items=[pod() for pod in running])

    package = ModuleType("kubernetes")
    package.client = SimpleNamespace(CoreV1Api=lambda: SimpleNamespace(list_namespaced_pod=list_namespaced_pod))
    package.config = SimpleNamespace(load_incluster_config=lambda: None, ConfigException=RuntimeError)
    monkeypatch.setitem(sys.modules, "kubernetes", package)
    (tmp_path / "namespace").write_text("mine\n")
    monkeypatch.setattr(pods, "NAMESPACE", tmp_path / "namespace")
    monkeypatch.setattr(cluster.time, "sleep", lambda seconds: None)
    return running


def pod(name, address, *phases):
    """A pod that is in one phase after the other, each time it is asked."""
    left = [*phases, "Running"]

    def ask():
        phase = left.pop(0) if len(left) > 1 else left[0]
        status = SimpleNamespace(phase=phase, pod_ip=address, host_ip="10.0.0.1")
        return SimpleNamespace(metadata=SimpleNamespace(name=name), status=status)

    return ask


def test_cluster_of_kubernetes_waits_for_all_pods(monkeypatch, kubernetes):
    monkeypatch.setenv("POD_IP", "10.1.0.5")
    kubernetes += [pod("digits-1", "10.1.0.5", "Pending", "Pending"), pod("digits-0", "10.1.0.9")]
    found = find_cluster("Kubernetes", label="job-name=digits", workers=2, port=9000)
    assert found.workers == ("10.1.0.9:9000", "10.1.0.5:9000")
    assert (found.count, found.index) == (2, 1)


def test_cluster_of_kubernetes_tells_what_is_missing(monkeypatch, kubernetes):
    kubernetes.append(pod("digits-0", "10.1.0.9"))
    monkeypatch.setenv("POD_IP", "10.1.0.5")
    with pytest.raises(InputError, match=r"are at 10\.1\.0\.9:8470, and this one is at 10\.1\.0\.5:8470"):
        find_cluster("Kubernetes", label="job-name=digits", workers=1)
    with pytest.raises(InputError, match="needs `label`"):
        find_cluster("Kubernetes", workers=1)
    monkeypatch.setattr(cluster, "PODS_SECONDS", 0.1)
    with pytest.raises(InputError, match=r"2 pods of 'job-name=digits' must run within 0\.1 s: there are 1\."):
        find_cluster("Kubernetes", label="job-name=digits", workers=2)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    with pytest.raises(InputError, match=r"install the extra `trainkit\[kubernetes\]`"):
        find_cluster("Kubernetes", label="job-name=digits", workers=2)
