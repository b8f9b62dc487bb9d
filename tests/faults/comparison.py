"""Two runs side by side: whatever a training has written must be the same, bit for bit, but for what a clock says."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trainkit.framework import tf
from trainkit.runs import Run
from trainkit.runs.checkpoints import Checkpoints, fault_of

OTHERS = {"epoch_samples_per_second", "config"}
"""Tags whose values are others in every run: a speed, and a text with the paths of its files."""
EPOCH = re.compile(r" INFO (epoch +\d+/\d+  .*)  [\d,]+ samples/s$", re.MULTILINE)


def differences(run: Run, other: Run) -> list[str]:
    """In what two finished runs differ."""
    parts = [f"{name}{found}" for name, read in PARTS.items() for found in _differ(read(run), read(other))]
    return parts + leftovers(run)


def _differ(one: Any, other: Any, path: str = "") -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
        return [told for name in names for told in _differ(one.get(name), other.get(name), f"{path}/{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [told for index, pair in pairs if pair[0] != pair[1] for told in _differ(*pair, f"{path}[{index}]")]
    return [] if one == other else [f"{path}: {str(one)[:300]} instead of {str(other)[:300]}"]


def weights(run: Run) -> dict[str, Any]:
    """What model.keras holds."""
    with zipfile.ZipFile(run.model) as file:
        found: dict[str, Any] = {"config": json.loads(file.read("config.json"))}
        with h5py.File(io.BytesIO(file.read("model.weights.h5"))) as content:
            content.visititems(lambda name, node: found.update(_dataset(name, node)))
    return found


def _dataset(name: str, node: Any) -> dict[str, bytes]:
    return {name: node[()].tobytes()} if isinstance(node, h5py.Dataset) else {}


def variables(run: Run) -> dict[str, bytes]:
    """Every variable of the last checkpoint and of the best one."""
    step = last(run)
    best = state(run)["best"]["step"]
    return {f"{at} {name}": value for at in (step, best) for name, value in variables_of(run, at).items()}


def variables_of(run: Run, step: int) -> dict[str, bytes]:
    """Every variable of a checkpoint."""
    directory = run.checkpoints / f"step_{step:09d}"
    found = {}
    for part in sorted(path.stem for path in directory.glob("*.index")):
        reader = tf.train.load_checkpoint(str(directory / part))
        for name in reader.get_variable_to_shape_map():
            if name != "_CHECKPOINTABLE_OBJECT_GRAPH":
                found[f"{part} {name}"] = np.asarray(reader.get_tensor(name)).tobytes()
    return found


def last(run: Run) -> int:
    """The step of the newest checkpoint, which is whole."""
    step = Checkpoints(run.checkpoints).steps()[0]
    assert fault_of(run.checkpoints / f"step_{step:09d}") is None
    return step


def state(run: Run) -> dict[str, Any]:
    """What the last checkpoint says beside its variables, without sizes of files and times."""
    found = Checkpoints(run.checkpoints).read_state(last(run))
    with np.load(run.checkpoints / f"step_{last(run):09d}" / "arrays.npz") as file:
        found["arrays"] = {name: (str(file[name].dtype), file[name].tobytes()) for name in file.files}
    del found["files"], found["callbacks"]["clock"]
    for row in found["callbacks"]["history"]["rows"]:
        del row["seconds"]
    return found


def history(run: Run) -> list[dict[str, str]]:
    """The rows of history.csv, without the times."""
    with run.history.open() as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def logged(run: Run) -> str | None:
    """What a `CSVLogger` wrote beside the folder of runs."""
    filepath = run.directory.parents[2] / "epochs.csv"
    return filepath.read_text() if filepath.exists() else None


def log(run: Run) -> list[str]:
    """The lines of epochs in train.log."""
    return EPOCH.findall(run.log.read_text())


def board(run: Run) -> dict[str, list[tuple[str, int, bytes]]]:
    """Tag, step and value of everything on TensorBoard, in its order."""
    return {part: _events(run.tensorboard / part) for part in ("train", "validation")}


def _events(directory: Path) -> list[tuple[str, int, bytes]]:
    from tensorflow.core.util.event_pb2 import Event

    files = sorted(directory.glob("events*"), key=lambda path: [int(part) for part in re.findall(r"\d+", path.name)])
    found = []
    for path in files:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = Event.FromString(record)
            found += [(value.tag, event.step, _value(value)) for value in event.summary.value]
            found += [("graph", event.step, b"")] * event.HasField("graph_def")
    return found


def batch_losses(run: Run) -> dict[int, float]:
    """The loss of an epoch up to each of its steps, by the step of the training."""
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    found = [(step, value) for tag, step, value in board(run)["train"] if tag == "batch_loss"]
    assert [step for step, _ in found] == sorted({step for step, _ in found})
    return {step: float(tf.make_ndarray(TensorProto.FromString(value))) for step, value in found}


def _value(value: Any) -> bytes:
    return b"" if value.tag in OTHERS else value.tensor.SerializeToString(deterministic=True)


def metrics(run: Run) -> Any:
    """What metrics.json says."""
    return json.loads(run.metrics.read_text())


def leftovers(run: Run) -> list[str]:
    """Files that were to be gone."""
    return [f"left: {path}" for path in run.directory.rglob(".*") if path.name != ".lock"]


PARTS: dict[str, Callable[[Run], Any]] = {
    "model.keras": weights,
    "variables": variables,
    "state": state,
    "history.csv": history,
    "epochs.csv": logged,
    "train.log": log,
    "tensorboard": board,
    "metrics.json": metrics,
}
