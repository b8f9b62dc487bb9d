"""Write trainkit/config/signatures.json from the real signatures of Keras and of TrainKit.

python tools/make_signatures.py            # write the table
python tools/make_signatures.py --check    # fail if the table is not what it would write
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from annotated_types import Ge

from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.sources import SOURCES
from trainkit.deploy.compress import COMPRESSORS
from trainkit.deploy.export import EXPORTERS
from trainkit.framework import tf
from trainkit.models.registry import LAYERS

TABLE = Path(__file__).parents[1] / "trainkit/config/signatures.json"

KERAS = {
    "layer": (tf.keras.layers, tf.keras.layers.Layer),
    "optimizer": (tf.keras.optimizers, tf.keras.optimizers.Optimizer),
    "schedule": (tf.keras.optimizers.schedules, tf.keras.optimizers.schedules.LearningRateSchedule),
    "loss": (tf.keras.losses, tf.keras.losses.Loss),
    "metric": (tf.keras.metrics, tf.keras.metrics.Metric),
    "callback": (tf.keras.callbacks, tf.keras.callbacks.Callback),
    "initializer": (tf.keras.initializers, tf.keras.initializers.Initializer),
    "regularizer": (tf.keras.regularizers, tf.keras.regularizers.Regularizer),
    "constraint": (tf.keras.constraints, tf.keras.constraints.Constraint),
}
OURS = {
    "source": SOURCES,
    "compressor": COMPRESSORS,
    "exporter": EXPORTERS,
    "augmentation": AUGMENTATIONS,
    "layer": LAYERS,
}

# Bases that users do not build, things that take Python code, and callbacks that `fit` brings itself.
LEFT_OUT = {
    "layer": {"Layer", "Wrapper", "AbstractRNNCell", "InputLayer", "Lambda"},
    "optimizer": {"Optimizer"},
    "schedule": {"LearningRateSchedule"},
    "loss": {"Loss"},
    "metric": {"Metric", "MeanMetricWrapper"},
    "callback": {
        "Callback",
        "CallbackList",
        "BaseLogger",
        "History",
        "ProgbarLogger",
        "LambdaCallback",
        "LearningRateScheduler",
        "SidecarEvaluatorModelExport",
        "BackupAndRestore",
    },
    "initializer": {"Initializer"},
    "regularizer": {"Regularizer"},
    "constraint": {"Constraint"},
}
OF_EVERY_LAYER = {"dtype": {"default": None}, "trainable": {"default": True, "type": "boolean"}}
# Defaults that do not tell the type: TensorBoard's profile_batch is 0, and also takes '10, 20'.
TYPE_IS_WIDER = {"profile_batch"}
NODE_ARGUMENTS = {
    r"(.*_)?initializer": "initializer",
    r"(.*_)?regularizer": "regularizer",
    r"(.*_)?constraint": "constraint",
    r"learning_rate": "schedule",
    r"layer|backward_layer": "layer",
    r"cells?": "layers",
}
# Where TrainKit knows better: schedules last as long as the training, TensorBoard's files belong to the run.
OUR_DEFAULTS = {
    ("CosineDecay", "decay_steps"): "$steps",
    ("PolynomialDecay", "decay_steps"): "$steps",
    ("TensorBoard", "log_dir"): None,
    ("CategoryEncoding", "num_tokens"): "$tokens",
}
PATHS = {"filepath", "filename", "log_dir"}
CONTEXT = {"model", "filepath", "context", "name"}


def make_table() -> dict[str, dict[str, Any]]:
    """The whole table, kinds and names in a fixed order."""
    table: dict[str, dict[str, Any]] = {}
    for kind, (module, base) in KERAS.items():
        table[kind] = {name: keras_signature(kind, item) for name, item in classes(kind, module, base)}
    for kind, registry in OURS.items():
        ours = {name: our_signature(registry.get(name)) for name in registry}
        if kind == "layer":
            ours = {
                name: signature | (OF_EVERY_LAYER if "trainable" not in signature else {})
                for name, signature in ours.items()
            }
        table[kind] = dict(sorted((table.get(kind, {}) | ours).items()))
    return table


def classes(kind: str, module: types.ModuleType, base: type) -> Iterator[tuple[str, type]]:
    """The public classes of a Keras module that a config can build."""
    for name in sorted(dir(module)):
        item = getattr(module, name)
        if inspect.isclass(item) and issubclass(item, base) and name[0].isupper() and name not in LEFT_OUT[kind]:
            yield name, item


def keras_signature(kind: str, item: type) -> dict[str, Any]:
    """Arguments of a Keras class; types are guessed from names and defaults, which is all that Keras declares."""
    arguments = {}
    for name, parameter in inspect.signature(item.__init__).parameters.items():
        if name in ("self", "name") or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        entry: dict[str, Any] = {}
        if (item.__name__, name) in OUR_DEFAULTS:
            entry["default"] = OUR_DEFAULTS[item.__name__, name]
        elif parameter.default is parameter.empty:
            entry["required"] = True
        elif is_json(parameter.default):
            entry["default"] = parameter.default
        if (type_ := keras_type(name, parameter.default)) != "any":
            entry["type"] = type_
        arguments[name] = entry
    return arguments | (OF_EVERY_LAYER if kind == "layer" else {})


def keras_type(name: str, default: object) -> str:
    """The type of a Keras argument, as far as its name and default tell."""
    for pattern, kind in NODE_ARGUMENTS.items():
        if re.fullmatch(pattern, name):
            return kind
    if name in PATHS:
        return "path"
    if name in TYPE_IS_WIDER:
        return "any"
    if isinstance(default, bool):
        return "boolean"
    return "number" if isinstance(default, int | float) else "any"


def our_signature(function: Callable[..., Any]) -> dict[str, Any]:
    """Arguments of a source or exporter; its annotations are the types."""
    hints = typing.get_type_hints(function.__init__ if inspect.isclass(function) else function, include_extras=True)
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in CONTEXT or parameter.kind is parameter.VAR_KEYWORD:
            continue
        entry = our_type(hints[name])
        if parameter.default is parameter.empty:
            entry["required"] = True
        else:
            entry["default"] = parameter.default
        arguments[name] = entry
    return arguments


def our_type(hint: Any) -> dict[str, Any]:
    """A type hint as the table says it."""
    if typing.get_origin(hint) is typing.Annotated:
        inner, *bounds = typing.get_args(hint)
        told = [("least", bound.ge) if isinstance(bound, Ge) else ("below", bound.lt) for bound in bounds]
        return our_type(inner) | dict(told)
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    options = typing.get_args(hint) if is_union else (hint,)
    wanted, *_ = [option for option in options if option is not type(None)]  # float | list[float]: a number
    entry: dict[str, Any] = {"optional": type(None) in options}
    literals = [option for option in options if typing.get_origin(option) is Literal]
    if literals:
        entry["choices"] = list(typing.get_args(literals[0]))
        wanted = Path if Path in options else type(entry["choices"][0])
    names = {
        int: "integer",
        float: "number",
        bool: "boolean",
        str: "text",
        Path: "path",
        list[str]: "texts",
        list[float]: "number",
        dict[str, float]: "numbers by name",
        dict[str, int]: "integers by name",
    }
    return entry | {"type": names[wanted]}


def is_json(value: object) -> bool:
    """Whether the table can hold a default."""
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def main() -> int:
    text = json.dumps(make_table(), indent=1, sort_keys=False) + "\n"
    if "--check" in sys.argv:
        if text != TABLE.read_text(encoding="utf-8"):
            print(f"{TABLE} is not up to date. Run `make signatures`.", file=sys.stderr)
            return 1
        return 0
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE}: {sum(len(names) for names in json.loads(text).values())} names")
    return 0


if __name__ == "__main__":
    sys.exit(main())
