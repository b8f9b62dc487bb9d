"""Whether a teacher takes what a network takes, and says what that is to learn to say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainkit.data import Description
from trainkit.errors import InputError, shown
from trainkit.inference.predictor import fits
from trainkit.training.distillation.losses import Form
from trainkit.training.distillation.teacher import Teacher

_KINDS = {"classes": "probabilities of classes", "questions": "probabilities of yes or no", "numbers": "numbers"}


def pair_inputs(model: Any, description: Description, teacher: Teacher) -> tuple[str, ...]:
    """The names of a network's inputs that a teacher takes, in the order of those.

    Args:
        model: The network.
        description: What its inputs are.
        teacher: The teacher.

    Raises:
        InputError: If it takes others.
    """
    own, theirs = dict(_samples(model, "input")), dict(_samples(teacher.model, "input"))
    pairs = _pairs(theirs, own)
    if pairs is None:
        raise _refusal(teacher, f"take inputs of the network, {', '.join(own)}", f"it takes {', '.join(theirs)}")
    for name, ours in pairs.items():
        if not fits(own[ours], theirs[name]):
            raise _refusal(teacher, f"take {ours!r} in the shape {own[ours]}", f"it takes {theirs[name]}")
        columns = description.inputs[ours].columns, teacher.description.inputs[name].columns
        if all(columns) and columns[0] != columns[1]:
            raise _refusal(teacher, f"take the columns {shown(columns[0])}", f"it takes {shown(columns[1])}")
    return tuple(pairs.values())


def pair_outputs(model: Any, description: Description, forms: Mapping[str, Form], teacher: Teacher) -> dict[str, str]:
    """From each output of a network to the teacher's that it learns.

    Args:
        model: The network.
        description: What its outputs say.
        forms: What its answers are.
        teacher: The teacher.

    Raises:
        InputError: If the teacher has no such output, or it says something else.
    """
    own, theirs = dict(_samples(model, "output")), dict(_samples(teacher.model, "output"))
    pairs = _pairs(own, theirs)
    if pairs is None:
        raise _refusal(teacher, f"have the outputs of the network, {', '.join(own)}", f"it has {', '.join(theirs)}")
    for name, other in pairs.items():
        classes = description.classes[name], teacher.description.classes[other]
        if classes[0] != classes[1]:
            told = [f"the classes {shown(list(one))}" if one else "numbers" for one in classes]
            raise _refusal(teacher, f"say {told[0]} at {name!r}", f"it says {told[1]}")
        kinds = [_KINDS[form.kind] for form in (forms[name], teacher.forms[other])]
        if kinds[0] != kinds[1]:
            raise _refusal(teacher, f"answer with {kinds[0]}, as the loss of {name!r} says", f"its are {kinds[1]}")
        if own[name] != theirs[other]:
            raise _refusal(teacher, f"give {name!r} in the shape {own[name]}", f"it gives {theirs[other]}")
    return pairs


def _samples(model: Any, end: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The shapes of single samples at the inputs or outputs of a model, by name."""
    for name, tensor in zip(getattr(model, f"{end}_names"), getattr(model, f"{end}s"), strict=True):
        yield name, tuple(tensor.shape[1:])


def _pairs(needed: Iterable[str], there: Iterable[str]) -> dict[str, str] | None:
    """From each name that is needed to the same there; where there is one of each only, whatever they are called."""
    needed, there = list(needed), list(there)
    if len(needed) == len(there) == 1:
        return dict(zip(needed, there, strict=True))
    return {name: name for name in needed} if {*needed} <= {*there} else None


def _refusal(teacher: Teacher, rule: str, received: str) -> InputError:
    return InputError(f"`teacher` must {rule}. Received: {teacher.name!r}: {received}.")
