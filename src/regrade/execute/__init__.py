"""Sends requests: bounded, fair over models, retried, journaled; yields outcomes."""

from regrade.execute.budget import BudgetLimits, estimated_tokens
from regrade.execute.executor import Executor, completion_of
from regrade.execute.lanes import Progress
from regrade.execute.options import ExecutorOptions, Timing

__all__ = [
    "BudgetLimits",
    "Executor",
    "ExecutorOptions",
    "Progress",
    "Timing",
    "completion_of",
    "estimated_tokens",
]
