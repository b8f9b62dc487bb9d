"""The config language: YAML text -> a checked experiment. Never imports TensorFlow."""

from trainkit.config.document import Document, format_path
from trainkit.config.expressions import ExpressionError, evaluate
from trainkit.config.load import Config, load_config
from trainkit.config.names import automatic_names, metric_names
from trainkit.config.node import Node, NodeError
from trainkit.config.overrides import list_overrides
from trainkit.config.schema import make_schema
from trainkit.config.settings import Best, Data, Deploy, Experiment, Last, Model, Training
from trainkit.config.signatures import known_names

__all__ = [
    "Best",
    "Config",
    "Data",
    "Deploy",
    "Document",
    "Experiment",
    "ExpressionError",
    "Last",
    "Model",
    "Node",
    "NodeError",
    "Training",
    "automatic_names",
    "evaluate",
    "format_path",
    "known_names",
    "list_overrides",
    "load_config",
    "make_schema",
    "metric_names",
]
