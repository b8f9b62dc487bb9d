"""`custom_code:`: a Python file whose classes and functions a config may use, once its user lets it run."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from trainkit.config.document import Document, KeyPath
from trainkit.config.paths import PathError, resolve_path
from trainkit.config.signature_reader import OF_EVERY_LAYER, read_typed, read_untyped, type_of
from trainkit.config.signatures import Definition, known_names, read_signature
from trainkit.config.zoo import zoo_files
from trainkit.errors import InputError, shown, with_article

MODULE_PREFIX = "trainkit_custom_"
"""What the modules of such files are called; the rest is the hash of the file."""

_BASES = {
    "Layer": "layer",
    "Loss": "loss",
    "Metric": "metric",
    "Optimizer": "optimizer",
    "Callback": "callback",
    "LearningRateSchedule": "schedule",
    "Initializer": "initializer",
    "Regularizer": "regularizer",
    "Constraint": "constraint",
}
"""Classes of Keras, and the kind of what derives from them."""
_FUNCTIONS = ("activation", "source")
"""Kinds that are functions."""
_NAMED = ("layer", "metric")
"""Kinds that are given a name when they are built."""
_CURE = "Read it: it can do whatever you can. Then let it run with --allow-code, or `with trainkit.allow_code():`."

Definitions = dict[str, dict[str, Definition]]
"""By kind, by name."""

_allowed: ContextVar[bool] = ContextVar("allowed", default=False)
_collecting: ContextVar[Definitions | None] = ContextVar("collecting", default=None)
_loaded: dict[str, Definitions] = {}
_active: set[str] = set()


@dataclass(frozen=True)
class CustomCode:
    """A file that was run.

    Args:
        filepath: The file.
        sha256: Of its bytes.
        definitions: What it registers, by kind and name.
    """

    filepath: Path
    sha256: str
    definitions: Mapping[str, Mapping[str, Definition]] = field(repr=False)


def permit_code() -> None:
    """Let the Python files that configs and runs name run, from here on."""
    _allowed.set(True)


@contextmanager
def allow_code() -> Iterator[None]:
    """Let the Python files that configs and runs name run, while it lasts.

    Example:
        ```python
        with trainkit.allow_code():
            run = trainkit.fit("config.yaml")
        ```
    """
    token = _allowed.set(True)
    try:
        yield
    finally:
        _allowed.reset(token)


def register(what: Any) -> Any:
    """Let configs use a class or function of a `custom_code` file by its name.

    Args:
        what: A layer, loss, metric, optimizer, callback, schedule, initializer, regularizer or constraint of tf.keras;
            or `"activation"` or `"source"`, and then a function follows.

    Returns:
        The class or function itself, or the decorator of such a function.

    Raises:
        InputError: If it is none of these, or its name is taken.

    Example:
        ```python
        @register
        class Scale(tf.keras.layers.Layer): ...

        @register("activation")
        @tf.custom_gradient
        def binarize(x): ...
        ```
    """
    if isinstance(what, str):
        if what not in _FUNCTIONS:
            raise InputError(f"`register` takes {' or '.join(map(repr, _FUNCTIONS))}, or a class. Received: {what!r}.")
        return partial(_register, kind=what)
    return _register(what, kind=_kind_of(what))


def run_custom_code(document: Document) -> CustomCode | None:
    """Run the Python file that a configuration names, if it names one; a file that has run before is not run again.

    Raises:
        ConfigError: If nobody has let it run, it is not the file that it must be, or it fails.
    """
    written = document.data.get("custom_code") if isinstance(document.data, dict) else None
    filename, expected = (written.get("file"), written.get("sha256")) if isinstance(written, dict) else (written, None)
    if not isinstance(filename, str):
        activate({})
        return None  # the checks of the settings tell what else there is
    path: KeyPath = ("custom_code",)
    if not filename.endswith(".py"):
        raise document.error(path, f"must be a Python file, NAME.py. Received: {filename!r}.")
    try:
        filepath = resolve_path(filename, document.base_directory(path))
        source = filepath.read_bytes()
    except (PathError, OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise document.error(path, f"cannot be read: {reason}. Received: {filename!r}.") from error
    if not _allowed.get():
        raise document.error(path, f"{filename} is Python code, which does not run by itself. {_CURE}")
    sha256 = hashlib.sha256(source).hexdigest()
    if expected not in (None, sha256):
        message = f"{filepath} has changed: its sha256 must be {expected}. Received: {sha256}."
        raise document.error(path, f"{message} Put the file back that this configuration was made with.")
    try:
        definitions = _definitions(filepath, source, sha256)
    except InputError as error:
        raise document.error(path, f"{filename}: {error}") from error
    activate(definitions)
    return CustomCode(filepath, sha256, definitions)


def _definitions(filepath: Path, source: bytes, sha256: str) -> Definitions:
    if sha256 not in _loaded:
        import_module("trainkit.framework")  # before the file imports TensorFlow: it decides which Keras that brings
        token = _collecting.set({})
        try:
            _run(filepath, source, f"{MODULE_PREFIX}{sha256[:16]}")
            _loaded[sha256] = _collecting.get() or {}
        finally:
            _collecting.reset(token)
    return _loaded[sha256]


def _run(filepath: Path, source: bytes, name: str) -> None:
    """Run a file as a module of its own; nothing is written beside it."""
    spec = importlib.util.spec_from_loader(name, None, origin=str(filepath))
    if spec is None:
        raise InputError("it cannot be run as a module.")
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(filepath)  # where AutoGraph and tracebacks look for the lines
    sys.modules[name] = module
    try:
        exec(compile(source, str(filepath), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == str(filepath)]
        line = error.lineno if isinstance(error, SyntaxError) else next(reversed(lines), None)
        told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        raise InputError(f"line {line}: {told}" if line else told) from error


def _register(thing: Any, kind: str) -> Any:
    collecting = _collecting.get()
    if collecting is None:  # the file is imported by something else: a test of its own, say
        return thing
    name = getattr(thing, "__name__", "")
    if (name[:1].isupper()) != (kind != "activation") or not name.isidentifier():
        rule = "a small" if kind == "activation" else "a capital"
        raise InputError(f"the name of {with_article(kind)} must begin with {rule} letter. Received: {name!r}.")
    if name in known_names(kind) if kind != "activation" else _is_keras_activation(name):
        raise InputError(f"{name!r} is {with_article(kind)} of Keras or TrainKit already: choose another name.")
    if kind == "layer" and name in zoo_files():
        raise InputError(f"{name!r} is a network of the zoo: choose another name.")
    if name in collecting.get(kind, {}):
        raise InputError(f"{with_article(kind)} {name!r} is registered already.")
    if kind == "activation" and not inspect.isfunction(thing):
        thing = _plain(thing)
    collecting.setdefault(kind, {})[name] = Definition(_signature(thing, kind), thing)
    return thing


def _plain(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of what `tf.custom_gradient` gives, which Keras cannot write into a file."""

    @wraps(call)
    def activation(x: Any) -> Any:
        return call(x)

    return activation


def _kind_of(thing: Any) -> str:
    bases = inspect.getmro(thing) if inspect.isclass(thing) else ()
    for base in bases:
        package = base.__module__.split(".")[0]
        if base.__name__ in _BASES and package == "keras":
            raise InputError(f"{thing.__name__} derives from Keras 3, which TrainKit does not use: write `tf.keras`.")
        if base.__name__ in _BASES and package == "tf_keras":
            return _BASES[base.__name__]
    kinds = ", ".join(_BASES.values())
    raise InputError(
        f"`register` takes a class of tf.keras ({kinds}); a function with `@register('activation')` or "
        f"`@register('source')`. Received: {shown(thing)}."
    )


def _signature(thing: Any, kind: str) -> Any:
    if kind in _FUNCTIONS:
        try:
            return read_signature(read_typed(thing)) if kind == "source" else {}
        except (KeyError, NameError, TypeError) as error:
            message = "every argument of a source must be annotated with int, float, bool, str, Path or a list of those"
            raise InputError(f"{message}. Received: {thing.__name__}, {error}.") from error
    parameters = inspect.signature(thing.__init__).parameters
    is_open = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    if kind in _NAMED and not is_open and "name" not in parameters:
        raise InputError(f"{thing.__name__}.__init__ must take `**kwargs`, and give it to `super().__init__`.")
    entries: dict[str, Mapping[str, Any]] = {
        name: _typed(entry, parameters[name].annotation) for name, entry in read_untyped(thing).items()
    }
    if kind == "layer" and is_open:
        entries |= OF_EVERY_LAYER
    return read_signature(entries)


def _typed(entry: dict[str, Any], annotation: Any) -> dict[str, Any]:
    """An argument with the type of its annotation, where that says one; `int` may be written in quotes, too."""
    hint = {"int": int, "float": float, "bool": bool, "str": str}.get(annotation, annotation)
    try:
        return entry if hint is inspect.Parameter.empty else entry | type_of(hint)
    except (KeyError, TypeError):
        return entry


def _is_keras_activation(name: str) -> bool:
    from trainkit.framework import tf

    return hasattr(tf.keras.activations, name)


def activate(definitions: Mapping[str, Mapping[str, Definition]]) -> None:
    """Let Keras find by name what a file registers, and no other file: activations in arguments, classes in files."""
    if not definitions and not _active:
        return
    from trainkit.framework import tf

    known = tf.keras.utils.get_custom_objects()
    for name in _active:
        known.pop(name, None)
    targets: dict[str, Callable[..., Any] | None] = {
        name: definition.target
        for kind, named in definitions.items()
        if kind != "source"
        for name, definition in named.items()
    }
    known.update(targets)
    _active.clear()
    _active.update(targets)
