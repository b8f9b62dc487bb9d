"""TensorFlow Model Optimization, imported in one place: it warns of its own use of distutils."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import tensorflow_model_optimization as _tfmot

quantization = _tfmot.quantization.keras

__all__ = ["quantization"]
