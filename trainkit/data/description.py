"""What has to be known of inputs and outputs to use a model: by `predict`, by an app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainkit.config import Experiment
from trainkit.data.fields import Facts, Field
from trainkit.data.images import ImageSpec
from trainkit.data.inputs import image_spec


@dataclass(frozen=True)
class InputDescription:
    """How one input is made.

    Args:
        shape: Of one sample; a sequence begins with None, any number of steps.
        dtype: `float32`, `string`, ….
        columns: The columns of a table that stand side by side in it.
        image: How an image file becomes it, or None where it is no image.
        missing: Whether the network takes care of missing numbers (NaN).
        padding: What stands behind the last step of a sequence in a batch with longer ones; None where it is none.
    """

    shape: tuple[int | None, ...]
    dtype: str
    columns: tuple[str, ...] = ()
    image: ImageSpec | None = None
    missing: bool = False
    padding: float | str | None = None


@dataclass(frozen=True)
class Description:
    """How the inputs of a network are made, and what its outputs say.

    Args:
        inputs: By name.
        classes: By name of the output: the names of the classes, or None where it is numbers.
        logits: The outputs that are logits, whatever their values.
    """

    inputs: Mapping[str, InputDescription]
    classes: Mapping[str, tuple[str, ...] | None]
    logits: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The description as JSON has it."""
        inputs = {}
        for name, one in self.inputs.items():
            entry: dict[str, Any] = {"shape": list(one.shape), "dtype": one.dtype}
            if one.columns:
                entry["columns"] = list(one.columns)
            if one.image is not None:
                entry["image"] = one.image.to_json() | {"range": [0, 255], "orientation": "EXIF orientation applied"}
            if one.missing:
                entry["missing"] = True
            if one.padding is not None:
                entry["padding"] = one.padding
            inputs[name] = entry
        outputs: dict[str, dict[str, Any]] = {
            name: {"classes": classes and list(classes)} for name, classes in self.classes.items()
        }
        for name in self.logits:
            outputs[name]["logits"] = True
        return {"inputs": inputs, "outputs": outputs}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Description:
        """What `to_json` returned, as a description again."""
        inputs = {}
        for name, entry in values["inputs"].items():
            image = {key: value for key, value in entry.get("image", {}).items() if key not in ("range", "orientation")}
            inputs[name] = InputDescription(
                tuple(entry["shape"]),
                entry["dtype"],
                tuple(entry.get("columns", ())),
                ImageSpec.from_json(image) if image else None,
                entry.get("missing", False),
                entry.get("padding"),
            )
        classes = {
            name: tuple(entry["classes"]) if entry["classes"] else None for name, entry in values["outputs"].items()
        }
        return cls(inputs, classes, tuple(name for name, entry in values["outputs"].items() if entry.get("logits")))


def describe(experiment: Experiment, facts: Facts) -> Description:
    """Describe the inputs and outputs of a config's network."""
    inputs = {name: _describe_input(name, field, experiment) for name, field in facts.inputs.items()}
    return Description(inputs, {name: field.classes for name, field in facts.targets.items()}, _logits(experiment))


def _logits(experiment: Experiment) -> tuple[str, ...]:
    """The outputs of which the loss says so."""
    names, loss = experiment.model.output_names, experiment.training.loss
    losses = loss if isinstance(loss, dict) else dict.fromkeys(names, loss)
    return tuple(name for name in names if losses[name].arguments.get("from_logits") is True)


def _describe_input(name: str, field: Field, experiment: Experiment) -> InputDescription:
    spec = experiment.model.input_specs[name]
    is_picture = field.is_image and field.value_range is not None and None not in spec.shape and field.shape[2] != 2
    image = image_spec(experiment, name) if is_picture else None
    missing = experiment.data.source.arguments.get("missing") == "keep"
    return InputDescription(field.shape, spec.dtype, field.columns, image, missing, field.padding)
