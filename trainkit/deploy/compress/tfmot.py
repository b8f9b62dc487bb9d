"""TensorFlow Model Optimization, imported in one place: it warns of its own use of distutils."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorflow_model_optimization as _tfmot
    from tensorflow_model_optimization.python.core.clustering.keras.cluster_wrapper import ClusterWeights

clustering = _tfmot.clustering.keras
quantization = _tfmot.quantization.keras
sparsity = _tfmot.sparsity.keras

__all__ = ["ClusterWeights", "clustering", "quantization", "sparsity"]
