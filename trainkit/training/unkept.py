"""What a run cannot draw or compute again: stateful random ops, Python code, ops that TensorFlow has no order for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainkit.framework import tf

_STATEFUL = {
    "Multinomial": "tf.random.categorical",
    "ParameterizedTruncatedNormal": "a truncated normal distribution",
    "RandomGamma": "tf.random.gamma",
    "RandomPoisson": "tf.random.poisson",
    "RandomPoissonV2": "tf.random.poisson",
    "RandomShuffle": "tf.random.shuffle",
    "RandomStandardNormal": "tf.random.normal",
    "RandomUniform": "tf.random.uniform",
    "RandomUniformInt": "tf.random.uniform",
    "SampleDistortedBoundingBox": "tf.image.sample_distorted_bounding_box",
    "SampleDistortedBoundingBoxV2": "tf.image.sample_distorted_bounding_box",
    "TruncatedNormal": "tf.random.truncated_normal",
    "AllCandidateSampler": "tf.random.all_candidate_sampler",
    "FixedUnigramCandidateSampler": "tf.random.fixed_unigram_candidate_sampler",
    "FractionalAvgPool": "tf.nn.fractional_avg_pool",
    "FractionalMaxPool": "tf.nn.fractional_max_pool",
    "LearnedUnigramCandidateSampler": "tf.random.learned_unigram_candidate_sampler",
    "LogUniformCandidateSampler": "tf.random.log_uniform_candidate_sampler",
    "NonDeterministicInts": "tf.random.Generator.from_non_deterministic_state",
    "ThreadUnsafeUnigramCandidateSampler": "a candidate sampler",
    "UniformCandidateSampler": "tf.random.uniform_candidate_sampler",
}
"""Random ops whose state TensorFlow keeps to itself, and what they are called in Python."""

_OF_GENERATORS = (
    "RngReadAndSkip",
    "RngSkip",
    "StatefulRandomBinomial",
    "StatefulStandardNormal",
    "StatefulStandardNormalV2",
    "StatefulTruncatedNormal",
    "StatefulUniform",
    "StatefulUniformFullInt",
    "StatefulUniformInt",
)
"""Ops of a `tf.random.Generator`, whose state is a variable."""

_PYTHON = {"EagerPyFunc": "tf.py_function", "PyFunc": "tf.numpy_function", "PyFuncStateless": "tf.numpy_function"}

_RAISING_ON_GPU = {
    "AdjustContrastv2": "changes the contrast of images",
    "Bincount": "counts",
    "CropAndResizeGradBoxes": "crops and resizes images",
    "CropAndResizeGradImage": "crops and resizes images",
    "DenseBincount": "counts",
    "FakeQuantWithMinMaxVarsGradient": "learns the range of a quantization",
    "FakeQuantWithMinMaxVarsPerChannelGradient": "learns the range of a quantization",
    "ResizeNearestNeighborGrad": "resizes to the nearest pixel",
    "SparseTensorDenseMatMul": "multiplies a sparse matrix",
}
"""Ops that raise on a GPU as soon as `tf.config.experimental.enable_op_determinism` was called."""

_CURE = (
    "Draw by the generator of a layer that derives from a random layer of Keras "
    "(`self._random_generator.random_normal(shape)`), or put such a layer into yours."
)


def unkept_randomness(model: Any, function: Any = None) -> list[str]:
    """What draws in a way that neither a checkpoint nor the seed and the step can bring back.

    Args:
        model: A built `tf.keras.Model` whose random layers are keyed (`key_random_layers`).
        function: What is looked at, a `tf.types.experimental.ConcreteFunction`: the training step, say. By default
            the model as it is called in training.

    Returns:
        One sentence for each layer and op, in the order of the graph; the name of the layer is in backquotes.
    """
    function = function or _training_call(model)
    lost = _lost_generators(model, function)
    told: dict[str, None] = {}
    for node, scope in _nodes(function):
        if node.op in _STATEFUL:
            cannot = f"draws by {_STATEFUL[node.op]}, which cannot be restored. {_CURE}"
        elif node.op in _OF_GENERATORS and lost.get(node.input[0], any(lost.values())):
            cannot = f"draws by a tf.random.Generator that no checkpoint has. {_CURE}"
        elif node.op in _PYTHON:
            cannot = f"runs Python ({_PYTHON[node.op]}), which may draw unseen. Write it in ops of TensorFlow."
        else:
            continue
        told[f"{_subject(model, scope)} {cannot}"] = None
    return list(told)


def raises_when_deterministic(model: Any, function: Any = None, *, gpu: bool, compiled: bool = False) -> list[str]:
    """What TensorFlow is known to refuse once its ops have to be deterministic.

    Args:
        model: A built `tf.keras.Model`.
        function: See `unkept_randomness`; by default a training call with its gradients.
        gpu: Whether it trains on a GPU.
        compiled: Whether XLA compiles the step.

    Returns:
        One sentence for each layer and op, in the order of the graph.
    """
    told: dict[str, None] = {}
    for node, scope in _nodes(function or _training_call(model, gradients=True)):
        if node.op == "Timestamp":
            cannot = "looks at the clock (tf.timestamp)."
        elif compiled and node.op in ("MaxPoolGrad", "MaxPool3DGrad"):  # on a CPU, too
            cannot = f"learns through max pooling, which XLA cannot do deterministically ({node.op})."
        elif gpu and (reason := _raising_on_gpu(node)):
            cannot = f"{reason}, which TensorFlow cannot do deterministically on a GPU ({node.op})."
        else:
            continue
        told[f"{_subject(model, scope)} {cannot}"] = None
    return list(told)


def _raising_on_gpu(node: Any) -> str | None:
    if node.op == "FusedBatchNormGradV3" and not node.attr["is_training"].b:
        return "passes gradients through a BatchNormalization that is frozen"
    return _RAISING_ON_GPU.get(node.op)


def _training_call(model: Any, *, gradients: bool = False) -> Any:
    def call(inputs: Any) -> Any:
        if not gradients:
            return model(inputs, training=True)
        with tf.GradientTape() as tape:
            answers = [tf.cast(one, tf.float32) for one in tf.nest.flatten(model(inputs, training=True))]
            total = tf.add_n([tf.reduce_sum(one) for one in answers])
        return [one for one in tape.gradient(total, model.trainable_variables) if one is not None]

    specs = [tensor.type_spec for tensor in model.inputs]
    return tf.function(call).get_concrete_function(specs if len(specs) > 1 else specs[0])


def _nodes(function: Any) -> Iterator[tuple[Any, str]]:
    """The ops of a function and of all it calls, each with its name after those of the calls that lead to it."""
    graph = function.graph.as_graph_def()
    library = {one.signature.name: one.node_def for one in graph.library.function}
    yield from _walk(graph.node, library, "", ())


def _walk(
    nodes: Iterable[Any], library: Mapping[str, Any], scope: str, within: tuple[str, ...]
) -> Iterator[tuple[Any, str]]:
    for node in nodes:
        name = f"{scope}/{node.name}"
        yield node, name
        for called in _called(node):
            if called in library and called not in within:
                yield from _walk(library[called], library, name, (*within, called))


def _called(node: Any) -> Iterator[str]:
    for attribute in node.attr.values():
        for one in (attribute.func, *attribute.list.func):
            if one.name:
                yield one.name


def _subject(model: Any, scope: str) -> str:
    """The layer in whose scope an op stands, or what it is if there is none."""
    layers = {layer.name: layer for layer in model.layers}
    for part in scope.split("/"):
        if part in layers:
            return f"layer `{part}` (class {type(layers[part]).__name__})"
    return "the training step"


def _lost_generators(model: Any, function: Any) -> dict[str, bool]:
    """The variables that a function captures, by the names of its placeholders: whether a checkpoint misses them."""
    tracked = {id(one) for one in tf.train.TrackableView(model).descendants()}
    lost = {id(one.handle): id(one) not in tracked and one.dtype == tf.int64 for one in function.graph.variables}
    return {inside.op.name: lost.get(id(outside), False) for outside, inside in function.graph.captures}
