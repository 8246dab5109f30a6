"""Ranks of models within a run: by paired tests, never by overlapping intervals."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from regrade.arms import Arm
from regrade.compare import Rank, changes_within, ranks_of

N = 200


def answers(right: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return as many right answers, the first of all samples."""
    return (np.arange(N) < right).astype(np.float64)


def test_a_rank_counts_the_models_that_are_shown_to_be_better(arm: Callable[..., Arm]) -> None:
    """Two that agree on nearly all samples share a place; the one far behind has both before it."""
    rights = {"a": 180, "b": 178, "c": 90}
    changes = changes_within([arm(answers(n), model=name) for name, n in rights.items()], 0.95, 0)
    assert [(one.model_a, one.model_b) for one in changes] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert ranks_of(list(rights), changes) == {"a": Rank(1, True), "b": Rank(1, True), "c": Rank(3, False)}


def test_ties_need_not_chain(arm: Callable[..., Arm]) -> None:
    """The first beats the last; the one between is told from neither, and is not below the first."""
    rights = {"a": 100, "b": 96, "c": 92}
    changes = changes_within([arm(answers(n), model=name) for name, n in rights.items()], 0.95, 0)
    found = ranks_of(list(rights), changes)
    assert [one.place for one in found.values()] == [1, 1, 2]


def test_lower_is_better_where_the_metric_says_so(arm: Callable[..., Arm]) -> None:
    """The model with the smaller values leads."""
    changes = changes_within(
        [arm(answers(n), model=name, better="lower") for name, n in (("a", 150), ("b", 20))], 0.95, 0
    )
    assert ranks_of(["a", "b"], changes) == {"a": Rank(2, False), "b": Rank(1, False)}


def test_p_is_adjusted_over_the_pairs_of_one_metric(arm: Callable[..., Arm]) -> None:
    """Three models are three tests; a second eval is another family, and so are prompts of one model."""
    arms = [arm(answers(n), model=name) for name, n in (("a", 100), ("b", 94), ("c", 100))]
    plain = changes_within(arms, 0.95, 0)
    assert plain[0].p is not None
    assert plain[0].p_adjusted == 3 * plain[0].p
    other = [replace(one, eval="second") for one in arms]
    assert changes_within([*arms, *other], 0.95, 0)[:3] == plain
    prompts = [arm(answers(n), prompt=name) for name, n in (("short", 100), ("long", 94))]
    (change,) = changes_within(prompts, 0.95, 0)
    assert (change.prompt_a, change.prompt_b, change.p_adjusted) == ("short", "long", change.p)


def test_one_model_alone_is_compared_with_nothing(arm: Callable[..., Arm]) -> None:
    """There is no pair, and the only model is first and untied."""
    assert changes_within([arm(answers(10))], 0.95, 0) == []
    assert ranks_of(["m"], []) == {"m": Rank(1, False)}
