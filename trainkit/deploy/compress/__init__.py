"""One file a step: each takes a Keras model and gives a smaller one, with what it promises of it.

A compressor is `f(model, *, …, context) -> CompressionResult`. A new one is a file here and a line in `COMPRESSORS`.
"""

from trainkit.deploy.compress.context import CompressionContext
from trainkit.deploy.compress.result import CompressionResult, Promise
from trainkit.registry import Registry

COMPRESSORS = Registry(
    "compressor",
    {
        "Cluster": "trainkit.deploy.compress.cluster:cluster",
        "EntropyPenalty": "trainkit.deploy.compress.entropy_penalty:entropy_penalty",
        "Prune": "trainkit.deploy.compress.prune:prune",
        "Quantize": "trainkit.deploy.compress.quantize:quantize",
    },
)

__all__ = ["COMPRESSORS", "CompressionContext", "CompressionResult", "Promise"]
