"""Random layers that draw by (seed, step): a training that goes on later draws what it would have drawn."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from typing import Any

from trainkit.framework import tf
from trainkit.models.calls import is_graph

_PHILOX = 1
"""One algorithm for every device, compiled or not: which one TensorFlow chooses by itself depends on that."""

_CONTROL_FLOW = ("CondBranchFuncGraph", "WhileBodyFuncGraph", "WhileCondFuncGraph")
"""Graphs that belong to the function they stand in."""

_TURN, _TURNS = 2**28, 2**16
"""How many blocks of numbers lie between the turns of a loop, and how many turns between those of one around it."""

_REPLICA = 2**48
"""How many steps lie between the replicas of a strategy."""

_RandomGenerator: Any = type(tf.keras.layers.Dropout(0.5)._random_generator)


def key_random_layers(model: Any, *, seed: int, step: Any) -> None:
    """Let the random layers of a model draw numbers that follow from the seed and the step alone.

    Whatever draws through the random generator of Keras does: all random layers of Keras, also inside of others, and
    layers of one's own that derive from them. Classes and configs stay as they are. A second call begins anew.

    Args:
        model: A `tf.keras.Model` whose layers have names of their own; its random layers are changed in place.
        seed: The seed of the training. One given to a layer counts besides.
        step: The training step, an integer `tf.Variable` that only ever goes up, by one each step.

    Example:
        ```python
        step = tf.Variable(0, dtype=tf.int64)
        key_random_layers(model, seed=7, step=step)
        ```
    """
    for path, scope, layer in _layers(model):
        for name, value in list(vars(layer).items()):
            if isinstance(value, _RandomGenerator):
                key = f"{seed}/{path}/{name}/{getattr(layer, 'seed', None)}"
                keyed = KeyedGenerator(value._rng_type, key=key, scope=scope, step=step)
                object.__setattr__(layer, name, keyed)  # not tracked, as the replaced one is not


def _layers(model: Any, path: str = "", scope: str = "") -> Iterator[tuple[str, str, Any]]:
    """The layers of a model and all inside them: a path that is the same in every process, the outermost, the layer.

    Layers of a model have names; those inside a layer may have got theirs from a counter, so their position counts.
    """
    named = is_graph(model)
    for index, layer in enumerate(model._flatten_layers(recursive=False, include_self=False)):
        part = f"{path}/{layer.name if named else index}"
        outermost = scope or layer.name
        yield part, outermost, layer
        yield from _layers(layer, part, outermost)


class KeyedGenerator(_RandomGenerator):
    """Draws by (key, number of the draw, step) in place of a random generator of Keras.

    Draws are counted from the beginning of each function that is traced, and of each step outside of functions.

    Args:
        kind: What Keras calls `rng_type`, which configs show.
        key: What sets its draws apart from those of all others.
        scope: The name of the outermost layer that draws, as TensorFlow's name scopes have it.
        step: The training step.
    """

    def __init__(self, kind: str, *, key: str, scope: str, step: Any) -> None:
        super().__init__(rng_type=kind)
        self._key, self._scope, self._step = key, scope, step
        self._generator, self._built = None, True
        self._draws: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._eager = (-1, 0)

    def make_seed_for_stateless_op(self) -> Any:
        """A seed for one op of `tf.random.stateless_*`, shape `(2,)`."""
        place = self._place()
        return tf.bitcast(tf.stack([place["key"][0] + place["counter"][0], place["counter"][1]]), tf.int64)

    def random_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, nonce: Any = None
    ) -> Any:
        """Numbers of a normal distribution."""
        numbers = self._draw(tf.raw_ops.StatelessRandomNormalV2, shape, dtype)
        return numbers * tf.cast(stddev, numbers.dtype) + tf.cast(mean, numbers.dtype)

    def truncated_normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, nonce: Any = None
    ) -> Any:
        """Numbers of a normal distribution, none further from the mean than two standard deviations."""
        numbers = self._draw(tf.raw_ops.StatelessTruncatedNormalV2, shape, dtype)
        return numbers * tf.cast(stddev, numbers.dtype) + tf.cast(mean, numbers.dtype)

    def random_uniform(
        self, shape: Any, minval: Any = 0.0, maxval: Any = None, dtype: Any = None, nonce: Any = None
    ) -> Any:
        """Numbers from `minval` on, below `maxval` (1 by default)."""
        dtype = tf.as_dtype(dtype or tf.keras.backend.floatx())
        low, high = tf.cast(minval, dtype), tf.cast(1 if maxval is None else maxval, dtype)
        if not dtype.is_integer:
            return self._draw(tf.raw_ops.StatelessRandomUniformV2, shape, dtype) * (high - low) + low
        shape = tf.cast(shape, tf.int32)
        return tf.raw_ops.StatelessRandomUniformIntV2(
            shape=shape, minval=low, maxval=high, alg=_PHILOX, **self._place()
        )

    def dropout(self, inputs: Any, rate: Any, noise_shape: Any = None) -> Any:
        """Inputs of which a share is 0, the rest so much greater that the mean is kept."""

        def uniform(shape: Any, dtype: Any) -> Any:
            return self._draw(tf.raw_ops.StatelessRandomUniformV2, shape, dtype)

        return tf.nn.experimental.general_dropout(inputs, rate=rate, noise_shape=noise_shape, uniform_sampler=uniform)

    def _draw(self, op: Any, shape: Any, dtype: Any) -> Any:
        dtype = dtype or tf.keras.backend.floatx()
        return op(shape=tf.cast(shape, tf.int32), dtype=dtype, alg=_PHILOX, **self._place())

    def _place(self) -> dict[str, Any]:
        """Where Philox begins: the upper half of its counter is the step, the lower one counts the numbers."""
        key = tf.constant([self._next_key()], tf.uint64)
        return {"key": key, "counter": tf.stack([self._turns(), self._steps()])}

    def _next_key(self) -> int:
        digest = hashlib.blake2b(f"{self._key}/{self._next_draw()}".encode(), digest_size=8)
        return int.from_bytes(digest.digest(), "little")

    def _next_draw(self) -> int:
        """How many draws came before in this function, or in this step."""
        if tf.executing_eagerly():
            step = int(self._step)
            draw = self._eager[1] if self._eager[0] == step else 0
            self._eager = (step, draw + 1)
            return draw
        function = _graphs()[-1]
        draw = self._draws.get(function, 0)
        self._draws[function] = draw + 1
        return draw

    def _turns(self) -> Any:
        """Which turn this is of the loops inside the layer; a loop over steps is none of them."""
        turns = tf.constant(0, tf.uint64)
        if not tf.executing_eagerly():
            for graph in reversed(_graphs()):
                if type(graph).__name__ == "WhileBodyFuncGraph" and f"_{self._scope}_" in f"_{graph.name}":
                    turns = turns * _TURNS + tf.cast(graph.inputs[0], tf.uint64) + 1
        return turns * _TURN

    def _steps(self) -> Any:
        """The step, and which replica of a strategy takes it."""
        steps = tf.cast(self._step, tf.uint64)
        replica = tf.distribute.get_replica_context()
        if replica is None or replica.num_replicas_in_sync == 1:
            return steps
        return steps + tf.cast(replica.replica_id_in_sync_group, tf.uint64) * _REPLICA


def _graphs() -> list[Any]:
    """The graph that is being made and those around it, up to the function that all of them belong to."""
    graphs = [tf.compat.v1.get_default_graph()]
    while type(graphs[-1]).__name__ in _CONTROL_FLOW:
        graphs.append(graphs[-1].outer_graph)
    return graphs
