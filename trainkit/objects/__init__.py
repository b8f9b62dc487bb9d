"""Node -> object: what a config names gets built, by Keras or by TrainKit's own tables."""

from trainkit.objects.build import build, build_registered, compute_arguments, failures_of, first_sentence, keras_class

__all__ = ["build", "build_registered", "failures_of", "compute_arguments", "first_sentence", "keras_class"]
