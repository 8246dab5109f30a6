"""Stored answers are scored again without one request, judges included."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import regrade
from regrade.errors import UsageError

Suite = Callable[..., Path]


def judge(sums: Any) -> None:
    """Let the endpoint answer judges as well: everything is good."""
    sums.before = lambda question, _: (
        web.json_response(sums.form("GRADE: yes")) if "+" not in question[:6] else None
    )


def test_another_scorer_scores_the_same_answers(suite: Suite, sums: Any) -> None:
    """The new run names its parent, has the new scores, and the server heard nothing."""
    run = regrade.run(suite())
    sums.asked.clear()
    changed = suite(scorers=[{"includes": {"name": "holds"}}])
    again = regrade.rescore(run.id, changed)
    assert sums.asked == []
    assert again.id != run.id
    assert again.manifest.parent == run.id
    assert set(again.scores["scorer"].to_pylist()) == {"holds"}
    assert again.scores["value"].to_pylist() == [1.0] * 20


def test_an_eval_that_the_run_does_not_hold_is_refused(suite: Suite) -> None:
    """There is nothing to score of another eval."""
    run = regrade.run(suite(), limit=1)
    with pytest.raises(UsageError, match='holds no outputs of the eval "other"'):
        regrade.rescore(run.id, suite("other"))


def test_judges_are_asked_once_and_never_again(suite: Suite, sums: Any) -> None:
    """A judge's answers are requests of the run: stored, taken over on resume and on re-scoring."""
    judge(sums)
    grading = {
        "model": "grader",
        "rubric": "Question of a judge: is {{ answer }} right? End with `GRADE: yes` or `GRADE: no`.",
        "choices": {"yes": 1, "no": 0},
    }
    models = [{"name": name, "base_url": sums.base_url} for name in ("good", "grader")]
    spec = suite(models=models, scorers=[{"model_graded": grading}])
    run = regrade.run(spec, models=["good", "grader"], limit=3)
    assert set(run.scores["value"].to_pylist()) == {1.0}, run.scores["failure_message"].to_pylist()
    assert run.samples.num_rows == 6 + 6
    asked = len(sums.asked)
    regrade.run(resume=run.id)
    regrade.rescore(run.id)
    assert len(sums.asked) == asked
