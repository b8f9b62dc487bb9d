"""One predictor a format, in this process or in a child; metrics. Importing it imports no interpreter."""

from trainkit.inference.isolated import IsolatedPredictor, IsolatedResult, predict_isolated
from trainkit.inference.load import LoadedModel, load
from trainkit.inference.predictor import PREDICTORS, Predictor, TensorFacts, open_predictor

__all__ = [
    "PREDICTORS",
    "IsolatedPredictor",
    "IsolatedResult",
    "LoadedModel",
    "Predictor",
    "TensorFacts",
    "load",
    "open_predictor",
    "predict_isolated",
]
