"""One file a step: each takes a Keras model and gives a smaller one, with what it promises of it.

A compressor is `f(model, *, …, context) -> CompressionResult`. A new one is a file here and a line in `COMPRESSORS`.
"""

from trainkit.deploy.compress.context import CompressionContext, Measurement
from trainkit.deploy.compress.result import CompressionResult, Promise
from trainkit.registry import Registry

COMPRESSORS = Registry(
    "compressor",
    {
        "Cluster": "trainkit.deploy.compress.cluster:cluster",
        "DeepCompression": "trainkit.deploy.compress.deep_compression:deep_compression",
        "Distill": "trainkit.deploy.compress.distill:distill",
        "DynamicNetworkSurgery": "trainkit.deploy.compress.dynamic_network_surgery:dynamic_network_surgery",
        "EntropyPenalty": "trainkit.deploy.compress.entropy_penalty:entropy_penalty",
        "LowRank": "trainkit.deploy.compress.low_rank:low_rank",
        "Prune": "trainkit.deploy.compress.prune:prune",
        "PruneFilters": "trainkit.deploy.compress.prune_filters:prune_filters",
        "Quantize": "trainkit.deploy.compress.quantize:quantize",
    },
)

__all__ = ["COMPRESSORS", "CompressionContext", "CompressionResult", "Measurement", "Promise"]
