"""A training on several devices and machines: strategies, clusters, and what the workers of one training agree on."""

from trainkit.registry import Registry

STRATEGIES = Registry(
    "strategy",
    {
        "OneDevice": "trainkit.training.scale.strategies:one_device",
        "Mirrored": "trainkit.training.scale.strategies:mirrored",
        "MultiWorkerMirrored": "trainkit.training.scale.strategies:multi_worker_mirrored",
    },
)

__all__ = ["STRATEGIES"]
