"""Go on with a training that was broken off, or is to be longer, if it is still the same training."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from rich.console import Console

from trainkit.config import Config, load_config
from trainkit.config.yaml_reader import read_text
from trainkit.data import Split, fingerprint
from trainkit.errors import RunError, counted, shown
from trainkit.runs import Run, sha256_of
from trainkit.runs.checkpoints import Checkpoints
from trainkit.training.append_only import cut_back
from trainkit.training.log import say
from trainkit.training.phases import optimizer_of, phases_of
from trainkit.training.prepare import Prepared, prepare
from trainkit.training.record import PACKAGES, describe_training, now
from trainkit.training.restoring import read_state
from trainkit.training.scale.follower import checkpoints_of
from trainkit.training.scale.team import Team
from trainkit.training.state import Position, State
from trainkit.training.train import Training

_FREE = ("deploy.", "training.checkpoints.", "training.on_nan", "training.strategy")
"""Keys that change nothing of what is trained."""
_LENGTH = re.compile(r"training(\.phases\[\d+\])?\.(epochs|steps)$")
_MOST = 20
"""Differences that are told."""


def resume_run(run: Run, config: Config, *, strategy: Any = None, force: bool, console: Console) -> Training | None:
    """Take a training up where its newest good checkpoint is.

    A longer training (`training.epochs`, `training.steps`) is the same one, unless a schedule lasts as long as it does.

    Args:
        run: The run; the caller owns it.
        config: Its config, or another.
        strategy: See `prepare`.
        force: Go on whatever differs.
        console: Where it is told what was found.

    Returns:
        The training, or None where nothing is left to do.

    Raises:
        RunError: If something differs, or no checkpoint can be read.
    """
    manifest, before, team = run.read_manifest(), load_config(run.resolved), Team(strategy)
    is_longer = any(map(_LENGTH.match, _changed(before.resolved(), config.resolved())))
    if manifest.get("outcome") == "finished" and not is_longer and team.share(run.model.is_file()):
        say(console, f"{run.directory} is finished: nothing is left to do. {_longer(config)}=N makes it longer.")
        return None
    checkpoints = checkpoints_of(team, run)
    step = team.share(_choose(run, checkpoints, force=force, console=console))
    state = State(seed=manifest["seed"]) if step is None else read_state(checkpoints, step)
    was = before.resolved()
    if step is not None and (written := checkpoints.config_of(step)) is not None:
        before, was = _trained_by(written, run, source=str(checkpoints.at(step)))
    changed = _changed(was, config.resolved())
    longer = {key: told for key, told in changed.items() if _LENGTH.match(key)}
    if team.share(step is not None and bool(checkpoints.fault_of_best(step))):
        state.best = None  # forced: the epochs to come are chosen from
    prepared = prepare(config, strategy=strategy, seed=state.seed, weights=step is None)
    _check_length(run, state.position, prepared)
    longer = {key: told for key, told in longer.items() if not _is_over(key, state.position)}
    differences = [told for key, told in changed.items() if key not in longer]
    differences += _changed_versions(manifest)
    if fingerprint(prepared.splits) != manifest.get("data", {}).get("fingerprint"):
        differences.append("the data: the files that the config names have changed")
    differences += _changed_teacher(manifest, prepared)
    optimizers = [_optimizers(config, prepared.splits.train) for config in (before, prepared.config)]
    if longer and optimizers[0] != optimizers[1]:
        differences += [f"{told}: the learning rates of the steps before follow from it" for told in longer.values()]
    _check(run, differences, force=force, console=console)
    _keep_epochs(state.position, before, prepared)
    _take_arguments(state, before, prepared)
    _write_down(run, prepared, state, {**changed, **dict(enumerate(differences))})
    cut_back(run, state)
    anew = _anew(*(found[state.position.phase :][:1] for found in optimizers))
    done = counted(state.position.epoch, "epoch")
    where = "from its beginning" if step is None else f"after {done}, at step {step:,}"
    say(console, f"{run.directory} goes on {where}")
    return Training(run, prepared, state, console, resumed=step is not None, anew=anew, is_changed=bool(changed))


def _trained_by(written: str, run: Run, *, source: str) -> tuple[Config, dict[str, Any]]:
    """The config of a checkpoint, and all its settings: what was forced later may not have come to be a checkpoint.

    Code of its own is read from the run, where another file may stand now: `sha256` is then among the differences.
    """
    document = read_text(written, source=source, directory=run.directory)
    was = copy.deepcopy(document.data)
    if code := document.data.get("custom_code"):
        code["sha256"] = sha256_of(run.directory / code["file"])
    return load_config(document), was


def _longer(config: Config) -> str:
    """The key that makes a training longer."""
    training = config.experiment.training
    if training.phases is None:
        return "training.epochs" if training.steps is None else "training.steps"
    last = len(training.phases) - 1
    return f"training.phases[{last}].{'epochs' if training.phases[last].steps is None else 'steps'}"


def _check_length(run: Run, position: Position, prepared: Prepared) -> None:
    """Refuse a training that is to be shorter than it is: it could not go on after that."""
    if position.phase >= len(prepared.phases):
        return
    phase = prepared.phases[position.phase]
    length = phase.length(prepared.config.experiment, prepared.splits.train)
    epochs, steps = position.epoch - position.phase_epoch, position.step - position.phase_step
    if epochs > length.epochs or (phase.steps is not None and steps > length.steps):
        done = f"{position.epoch} epochs, {position.step:,} steps"
        cure = f"{_longer(prepared.config)} must not be less; of an equal number it is the end."
        raise RunError(f"{run.directory} has been trained for {done} already. {cure}")


def _choose(run: Run, checkpoints: Checkpoints, *, force: bool, console: Console) -> int | None:
    """The step to go on from; None is the beginning."""
    step, faults = checkpoints.newest()
    if step is None and faults:
        if not force:
            lines = "\n".join(f"  {fault}" for fault in faults)
            cure = "Train anew, or go on with what is left, if only the beginning, with --force."
            raise RunError(f"{run.directory} has no checkpoint to go on from:\n{lines}\n{cure}")
        step, _ = checkpoints.newest(alone=True)
    for fault in faults:
        say(console, f"note: {fault}")
    return step


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """The settings that are others than before, by key, told in words."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key) and not key.startswith(_FREE)]
    return {key: f"{key}: was {_told(old, key)}, is {_told(new, key)}" for key in keys}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for index, one in enumerate(value):
            yield from _leaves(one, f"{path}[{index}]")
    else:
        yield path, value


def _told(leaves: Mapping[str, Any], key: str) -> str:
    return shown(leaves[key]) if key in leaves else "not there"


def _changed_versions(manifest: Mapping[str, Any]) -> list[str]:
    before = manifest.get("versions", {})
    now_there = {package: version(package) for package in PACKAGES}
    pairs = [(name, before.get(name), found) for name, found in now_there.items()]
    return [f"{name}: was {old}, is {new}" for name, old, new in pairs if old != new]


def _changed_teacher(manifest: Mapping[str, Any], prepared: Prepared) -> list[str]:
    """Whether a teacher of the same name is another model than before."""
    before, teacher = manifest.get("teacher"), prepared.teacher
    if not before or teacher is None or before["sha256"] == teacher.sha256:
        return []
    return [f"training.distill.teacher: was the model of {before['run']}, is another one, of {teacher.name}"]


def _optimizers(config: Config, split: Split) -> list[dict[str, Any]]:
    """The optimizer of each phase, as plain data."""
    built = [optimizer_of(config, split, phase) for phase in phases_of(config.experiment)]
    return [{"class": type(optimizer).__name__} | optimizer.get_config() for optimizer in built]


def _anew(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Literal["nothing", "rate", "all"]:
    """What of the optimizer of the phase at hand is another than before, and cannot be what a checkpoint says."""
    if before == after or not before or not after:
        return "nothing"
    old, new = before[0], after[0]
    others = [key for key in {**old, **new} if key != "learning_rate" and old.get(key) != new.get(key)]
    rates = [one.get("learning_rate") for one in (old, new)]
    if others or isinstance(rates[0], Mapping) != isinstance(rates[1], Mapping):
        return "all"
    return "nothing" if isinstance(rates[1], Mapping) else "rate"


def _keep_epochs(position: Position, before: Config, prepared: Prepared) -> None:
    """Let the epoch at hand begin where it began, also where epochs have become longer or shorter.

    A phase that lasts a number of steps lasts that many all the same.
    """
    split, index = prepared.splits.train, position.phase
    old, new = phases_of(before.experiment), prepared.phases
    if index >= min(len(old), len(new)):
        return
    epoch = position.epoch - position.phase_epoch
    done, counted = (
        phases[index].length(config.experiment, split).longer(position.lacking).before(epoch)
        for phases, config in ((old, before), (new, prepared.config))
    )
    position.phase_step += done - counted
    if new[index].steps is not None:
        position.lacking += counted - done


def _is_over(key: str, position: Position) -> bool:
    """Whether a key is of a phase before the one at hand, which cannot become longer any more."""
    found = re.match(r"training\.phases\[(\d+)\]", key)
    return found is not None and int(found[1]) < position.phase


def _take_arguments(state: State, before: Config, prepared: Prepared) -> None:
    """Let callbacks of Keras have arguments that are others now: what a callback knows has those of before."""
    index, old, new = state.position.phase, phases_of(before.experiment), prepared.phases
    if index >= min(len(old), len(new)):
        return
    for number, (was, node) in enumerate(zip(old[index].callbacks, new[index].callbacks, strict=False)):
        known = state.callbacks.get(f"{index}.{number} {node.class_name}", {})
        if node.definition is not None and hasattr(node.definition.target, "get_state"):
            continue  # it says itself what it knows
        for key in {**was.arguments, **node.arguments}:
            if was.arguments.get(key) != node.arguments.get(key):
                known.pop(key, None)


def _check(run: Run, differences: list[str], *, force: bool, console: Console) -> None:
    told = [*differences[:_MOST], *(["…"] if len(differences) > _MOST else [])]
    if differences and not force:
        lines = "\n".join(f"  {line}" for line in told)
        cure = "Train anew, or go on all the same with --force."
        raise RunError(f"{run.directory} was begun with something else:\n{lines}\n{cure}")
    for line in told:
        say(console, f"forced: {line}")


def _write_down(run: Run, prepared: Prepared, state: State, differences: Mapping[Any, str]) -> None:
    manifest = run.read_manifest()
    if differences:
        run.update_manifest(**describe_training(run, prepared))
    entry = {"at": now(), "step": state.position.step, "differences": list(dict.fromkeys(differences.values()))}
    run.update_manifest(outcome="running", ended=None, resumed=[*manifest.get("resumed", []), entry])
