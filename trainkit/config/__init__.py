"""The config language: YAML text -> a checked experiment. Never imports TensorFlow."""

from trainkit.config.custom_code import MODULE_PREFIX, CustomCode, allow_code, permit_code, register
from trainkit.config.data_settings import Data, Last, Resize, Skip
from trainkit.config.distill_settings import SELF, Distill
from trainkit.config.document import Document, KeyPath, format_path
from trainkit.config.expressions import ExpressionError, evaluate
from trainkit.config.load import Config, load_config, read_document, take_config
from trainkit.config.model_settings import Input, Model, Weights
from trainkit.config.names import automatic_names, metric_names, snake_case
from trainkit.config.network import BEFORE, LayerCall, Network, part_of
from trainkit.config.node import Node, NodeError, SettingError
from trainkit.config.node_settings import is_node_name, written_references
from trainkit.config.overrides import list_overrides
from trainkit.config.schema import make_schema
from trainkit.config.settings import Best, CheckpointSettings, Deploy, Experiment, Phase, Training
from trainkit.config.signatures import known_names

__all__ = [
    "BEFORE",
    "MODULE_PREFIX",
    "SELF",
    "Best",
    "CheckpointSettings",
    "Config",
    "CustomCode",
    "Data",
    "Deploy",
    "Distill",
    "Document",
    "Experiment",
    "ExpressionError",
    "Input",
    "Last",
    "KeyPath",
    "LayerCall",
    "Model",
    "Network",
    "Node",
    "NodeError",
    "Phase",
    "Resize",
    "SettingError",
    "Skip",
    "Training",
    "Weights",
    "allow_code",
    "automatic_names",
    "evaluate",
    "format_path",
    "is_node_name",
    "known_names",
    "list_overrides",
    "load_config",
    "make_schema",
    "metric_names",
    "part_of",
    "permit_code",
    "read_document",
    "register",
    "snake_case",
    "take_config",
    "written_references",
]
