"""Write trainkit/config/signatures.json from the real signatures of Keras and of TrainKit.

python tools/make_signatures.py            # write the table
python tools/make_signatures.py --check    # fail if the table is not what it would write
"""

from __future__ import annotations

import inspect
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trainkit.config.signature_reader import OF_EVERY_LAYER, read_typed, read_untyped
from trainkit.data.augment import AUGMENTATIONS
from trainkit.data.sources import SOURCES
from trainkit.deploy.compress import COMPRESSORS
from trainkit.deploy.export import EXPORTERS
from trainkit.framework import tf
from trainkit.models.registry import LAYERS
from trainkit.objects.schedules import SCHEDULES
from trainkit.training.scale import STRATEGIES

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
    "schedule": SCHEDULES,
    "strategy": STRATEGIES,
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
# Defaults that do not tell the type: TensorBoard's profile_batch is 0, and also takes '10, 20'.
TYPE_IS_WIDER = {"profile_batch"}
# Where TrainKit knows better: schedules last as long as the training, TensorBoard's files belong to the run.
OUR_DEFAULTS = {
    ("CosineDecay", "decay_steps"): "$steps",
    ("PolynomialDecay", "decay_steps"): "$steps",
    ("PolyDecay", "total_steps"): "$steps",
    ("OneCycle", "total_steps"): "$steps",
    ("TensorBoard", "log_dir"): None,
    ("CategoryEncoding", "num_tokens"): "$tokens",
}
CONTEXT = {"model", "filepath", "context", "name"}


def make_table() -> dict[str, dict[str, Any]]:
    """The whole table, kinds and names in a fixed order."""
    table: dict[str, dict[str, Any]] = {}
    for kind, (module, base) in KERAS.items():
        table[kind] = {name: keras_signature(kind, item) for name, item in classes(kind, module, base)}
    for kind, registry in OURS.items():
        ours = {name: our_signature(kind, registry.get(name)) for name in registry}
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
    """Arguments of a Keras class, with what TrainKit knows better."""
    arguments = read_untyped(item)
    for name in TYPE_IS_WIDER & arguments.keys():
        arguments[name].pop("type", None)
    return with_our_defaults(item.__name__, arguments) | (OF_EVERY_LAYER if kind == "layer" else {})


def our_signature(kind: str, item: Any) -> dict[str, Any]:
    """Arguments of something of TrainKit's; a rate inside a schedule may be a schedule, as in Keras' optimizers."""
    if kind != "schedule":
        return read_typed(item, skip=CONTEXT)
    typed = read_typed(item, skip={"learning_rate"})
    arguments = {name: typed.get(name, entry) for name, entry in read_untyped(item).items()}
    return with_our_defaults(item.__name__, arguments)


def with_our_defaults(class_name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with the defaults that TrainKit knows better."""
    for name, entry in arguments.items():
        if (class_name, name) in OUR_DEFAULTS:
            entry.pop("required", None)
            entry.pop("default", None)
            arguments[name] = {"default": OUR_DEFAULTS[class_name, name]} | entry
    return arguments


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
