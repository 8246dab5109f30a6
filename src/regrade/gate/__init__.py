"""Rules to verdicts: PASS, FAIL or INCONCLUSIVE, and what it would take to decide."""

from regrade.gate.judging import judge
from regrade.gate.requests import REQUEST_METRICS
from regrade.gate.resolving import RuleSet, Target, find_measure, pairs_of, resolve

__all__ = ["REQUEST_METRICS", "RuleSet", "Target", "find_measure", "judge", "pairs_of", "resolve"]
