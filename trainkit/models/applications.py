"""The networks of tf.keras.applications, layer by layer inside another network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from trainkit.config import snake_case
from trainkit.framework import tf
from trainkit.models.calls import calls_of, replay
from trainkit.models.saved_weights import WeightsError
from trainkit.models.transfer import assign_weights
from trainkit.registry import did_you_mean


class ApplicationError(ValueError):
    """A network of Keras cannot be built as it is asked for; the message is for the user.

    Args:
        message: What is wrong and what to do.
        argument: The argument at fault.
    """

    def __init__(self, message: str, *, argument: str) -> None:
        super().__init__(message)
        self.argument = argument


class KerasApplication:
    """A network of tf.keras.applications, whose layers become layers of the network around it: `backbone.conv1`.

    It is called like a layer. Each of its layers gets the name of the call and its own name in Keras, with `_` for `/`.

    Args:
        application: Its name in tf.keras.applications.
        include_top: Whether its classifier is part of it.
        weights: None for random ones; `imagenet` for those that Keras offers, from its cache or by download; else a
            file (.keras, .weights.h5, .h5), a run, or a directory of runs, with layers of the same names.
        pooling: Of a network without its classifier: `avg` or `max`; None for feature maps.
        classes: Of its classifier.
        classifier_activation: Of its classifier; None for logits.
        trainable: Whether its layers learn.
        alpha: Width, of MobileNets.
        depth_multiplier: Of the depthwise convolutions of MobileNet.
        dropout: Of MobileNet.
        dropout_rate: Of MobileNetV3.
        minimalistic: Whether MobileNetV3 does without squeeze-and-excite and hard swish.
        include_preprocessing: Whether a network that brings its own rescaling uses it.
        name: Of the call.

    Raises:
        ValueError: If there is no such application, or it does not take one of the arguments.
    """

    def __init__(
        self,
        application: str,
        include_top: bool = True,
        weights: Path | Literal["imagenet"] | None = None,
        pooling: Literal["avg", "max"] | None = None,
        classes: int = 1000,
        classifier_activation: str | None = "softmax",
        trainable: bool = True,
        alpha: float | None = None,
        depth_multiplier: int | None = None,
        dropout: float | None = None,
        dropout_rate: float | None = None,
        minimalistic: bool | None = None,
        include_preprocessing: bool | None = None,
        name: str = "application",
    ) -> None:
        known = [item for item in dir(tf.keras.applications) if item[0].isupper()]
        if application not in known:
            near = did_you_mean(application, known)
            told = near or f" Known: {', '.join(known)}."
            raise ValueError(f"`application` must be a network of Keras.{told}")
        own = {
            "alpha": alpha,
            "depth_multiplier": depth_multiplier,
            "dropout": dropout,
            "dropout_rate": dropout_rate,
            "minimalistic": minimalistic,
            "include_preprocessing": include_preprocessing,
        }
        self.name = name
        self._application = application
        self._weights = weights
        self._trainable = trainable
        self._arguments: dict[str, Any] = {"include_top": include_top, "pooling": pooling} | {
            key: value for key, value in own.items() if value is not None
        }
        if include_top:
            self._arguments |= {"classes": classes, "classifier_activation": classifier_activation}
        self._wraps: list[Callable[..., Any]] = []
        self._model: Any = None
        self._layers: dict[str, Any] = {}

    def wrapped(self, wrap: Callable[..., Any]) -> KerasApplication:
        """The same with another layer around each of its layers: `wrap(layer=…, name=…)`."""
        self._wraps.append(wrap)
        return self

    def __call__(self, tensor: Any) -> tuple[Any, dict[str, Any]]:
        """Call its layers; the second time, the same layers again.

        Args:
            tensor: Images, shape `(batch, height, width, channels)`, or `(batch, times, …)` where it is wrapped.

        Returns:
            What the network gives, and what each of its layers gives by its name.

        Raises:
            ApplicationError: If Keras cannot build it on such images, or the weights do not fit.
        """
        if self._model is None:
            self._model = self._build(tuple(tensor.shape)[1 + len(self._wraps) :])
        parts: dict[str, Any] = {}
        answers = self._replay(self._model, tensor, parts)
        return answers[0], parts

    def _replay(self, model: Any, tensor: Any, parts: dict[str, Any]) -> list[Any]:
        def make(call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
            if isinstance(call.layer, tf.keras.Model):
                outputs = self._replay(call.layer, arguments[0], parts)
                return outputs if isinstance(call.outputs, list) else outputs[0]
            name = call.layer.name
            is_new = name not in self._layers
            if is_new:
                self._layers[name] = self._copy(name, call.layer)
            parts[name] = self._layers[name](*arguments, **keywords)
            if is_new:
                self._layers[name].set_weights(call.layer.get_weights())
            return parts[name]

        tensors = replay(calls_of(model), {id(model.inputs[0]): tensor}, make)
        return [tensors[id(output)] for output in model.outputs]

    def _copy(self, name: str, original: Any) -> Any:
        """The layer that takes the place of one of Keras' network."""
        config = original.get_config() | {"trainable": original.trainable and self._trainable}
        full = f"{self.name}.{name}"
        layer = type(original).from_config(config | {"name": name if self._wraps else full})
        for wrap in self._wraps:
            layer = wrap(layer=layer, name=full)
        return layer

    def _build(self, shape: tuple[int | None, ...]) -> Any:
        function = getattr(tf.keras.applications, self._application)
        from_keras = self._weights == "imagenet"
        told = f"Keras cannot build {self._application} on images of the shape {shape}"
        try:
            model = function(input_shape=shape, weights="imagenet" if from_keras else None, **self._arguments)
        except TypeError as error:
            raise ApplicationError(f"{told}: {error}.", argument="application") from error
        except ValueError as error:
            raise ApplicationError(
                f"{told}: {' '.join(str(error).split()).rstrip('.')}.", argument="application"
            ) from error
        except Exception as error:  # what `get_file` raises is no more special
            if not from_keras:
                raise
            cure = "Put the file into Keras' cache (~/.keras/models), or name a file of weights."
            message = f"the weights of {self._application} are not in Keras' cache, and cannot be loaded. {cure}"
            raise ApplicationError(f"{message} Keras says: {error}.", argument="weights") from error
        if self._wraps and any(type(layer).__name__ == "TFOpLambda" for layer in model.layers):
            message = f"{self._application} uses functions of TensorFlow, which TimeDistributed cannot wrap."
            raise ApplicationError(message, argument="application")
        _name_layers(model)
        if self._weights is not None and not from_keras:
            try:
                assign_weights(model, Path(self._weights), prefixes=(f"{self.name}.", ""))
            except WeightsError as error:
                raise ApplicationError(str(error), argument="weights") from error
        return model


def _name_layers(model: Any) -> None:
    """Give the layers names that can stand in a path, and that do not depend on what was built before.

    Keras counts the layers without a name of their own through all networks of a process: here they are counted from
    the first one of this network, as in a new process. A function of TensorFlow has `tf_` before its name.
    """
    automatic: dict[str, list[tuple[int, Any]]] = {}
    for layer in _layers_of(model):
        kind, _, number = re.fullmatch(r"(.*?)(_([0-9]+))?", layer.name).groups()  # type: ignore[union-attr]
        if "." in kind:  # `tf.math.multiply_3`
            automatic.setdefault("tf_" + kind.rpartition(".")[2], []).append((int(number or 0), layer))
        elif kind == snake_case(type(layer).__name__):
            automatic.setdefault(kind, []).append((int(number or 0), layer))
        layer._name = layer.name.replace("/", "_")
    for kind, numbered in automatic.items():
        for number, (_, layer) in enumerate(sorted(numbered, key=lambda pair: pair[0])):
            layer._name = f"{kind}_{number}" if number else kind


def _layers_of(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            yield from _layers_of(layer)
        elif not isinstance(layer, tf.keras.layers.InputLayer):
            yield layer
