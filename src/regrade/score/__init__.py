"""Applies scorers to outcomes as they arrive."""

from regrade.score.scoring import EvalScorers, ScorerUnit
from regrade.score.steps import Steps, compile_steps

__all__ = ["EvalScorers", "ScorerUnit", "Steps", "compile_steps"]
