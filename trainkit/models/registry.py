"""The layers that TrainKit adds to those of Keras."""

from trainkit.registry import Registry

LAYERS = Registry(
    "layer",
    {
        "Impute": "trainkit.models.layers.impute:Impute",
        "KerasApplication": "trainkit.models.applications:KerasApplication",
    },
)
