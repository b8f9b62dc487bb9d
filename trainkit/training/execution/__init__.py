"""How training steps are run: where batches come from, how many steps a call does, with or without XLA."""

from trainkit.training.execution.executor import Evaluator, Executor
from trainkit.training.execution.feeds import Feed, Resident, Streamed
from trainkit.training.execution.plan import Plan
from trainkit.training.execution.planner import Choice, Planner, feed_of, fits, of_every_batch

__all__ = [
    "Choice",
    "Evaluator",
    "Executor",
    "Feed",
    "Plan",
    "Planner",
    "Resident",
    "Streamed",
    "feed_of",
    "fits",
    "of_every_batch",
]
