"""Figures by arm: those of single questions and of the run's summary, on one axis for all."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import regrade
from regrade.errors import UsageError
from regrade.store import RunFolder
from regrade.store.sample_arms import arm_counts, failure_groups, labelled, medians, spending, spread
from regrade.store.sample_filters import SampleQuery
from regrade.store.sample_queries import SampleQueries

Make = Callable[..., SampleQueries]


@pytest.fixture(scope="module")
def queries(sorted_run: regrade.Run) -> Iterator[SampleQueries]:
    """Ask the real run of three models and two prompts."""
    one = SampleQueries(RunFolder(sorted_run.path))
    yield one
    one.close()


def test_counts_are_those_of_each_arm_asked_alone(queries: SampleQueries) -> None:
    """Right, wrong and failed of every prompt and model, in the order of the run."""
    found = arm_counts(queries, SampleQuery(evals=("tickets",)))
    assert len(found) == 6
    for one in found:
        alone = queries.counts(SampleQuery(prompts=(one.prompt,), models=(one.model,)))
        assert (one.total, one.right, one.wrong, one.failure) == (
            alone.total,
            alone.right,
            alone.wrong,
            alone.failure,
        )
    assert [one.model for one in found[:3]] == ["good", "bad", "absent"]


def test_failures_by_arm_add_up(queries: SampleQueries) -> None:
    """Together they are what is counted over all arms; each names its arm and one message."""
    groups = failure_groups(queries, SampleQuery())
    assert sum(one.count for one in groups) == queries.counts(SampleQuery()).failure
    assert {one.stage for one in groups} == {"request"}
    assert groups[0].model == "absent"
    assert groups[0].count == 37
    assert groups[0].message
    assert failure_groups(queries, SampleQuery(models=("bad",))) == []


def test_scorers_that_fail_are_a_stage_of_their_own(table: Make) -> None:
    """An answer that a scorer could not judge failed, though its request did not."""
    rows: list[dict[str, Any]] = [
        {"sample_id": "a"},
        {"sample_id": "b", "ok": False, "failure_kind": "timeout", "attempts": 3},
    ]
    scores = [{"sample_id": "a", "scorer": "s", "metric": m, "failure_kind": "scorer"} for m in ("s", "t")]
    found = failure_groups(table(rows, scores, scorers=["s"]), SampleQuery())
    assert {(one.kind, one.stage, one.count, one.attempts) for one in found} == {
        ("timeout", "request", 1, (3, 3)),
        ("scorer", "score", 1, None),
    }


def test_numbers_are_spread_over_equal_bins_of_one_axis(table: Make) -> None:
    """Every arm has the same edges; what lies far beyond is in the last bin, and nothing is lost."""
    rows = [{"sample_id": f"s{n}", "model": "ab"[n % 2], "latency_s": n / 100} for n in range(1, 400)]
    rows.append({"sample_id": "slow", "model": "a", "latency_s": 90.0})
    found = spread(table(rows), SampleQuery(), "latency_s", 20)
    assert found is not None
    steps = {round(b - a, 6) for a, b in zip(found.edges, found.edges[1:], strict=False)}
    assert len(steps) == 1
    assert found.edges[0] == 0
    assert found.edges[-1] < 5
    assert found.beyond
    assert {arm: sum(counts) for arm, counts in found.counts.items()} == {("p", "a"): 200, ("p", "b"): 200}
    assert found.counts["p", "a"][-1] >= 1
    assert medians(table(rows, name="same"), SampleQuery(), "latency_s")["p", "b"] == pytest.approx(2.0)
    assert spread(table([{"sample_id": "x"}], name="none"), SampleQuery(), "ttft_s") is None
    with pytest.raises(UsageError, match="no spread"):
        spread(table([{"sample_id": "x"}], name="other"), SampleQuery(), "text")


def test_whole_numbers_have_bins_of_their_own(table: Make) -> None:
    """Two, three and four tokens are three bars side by side, however many bins there might be."""
    rows = [{"sample_id": f"s{n}", "completion_tokens": 2 + n % 3} for n in range(30)]
    found = spread(table(rows), SampleQuery(), "completion_tokens")
    assert found is not None
    assert found.edges == (0, 1, 2, 3, 4, 5)
    assert found.counts["p", "m"] == (0, 0, 10, 10, 10)
    assert not found.beyond
    same = spread(table([{"sample_id": "x", "prompt_tokens": 7}], name="one"), SampleQuery(), "prompt_tokens")
    assert same is not None
    assert sum(same.counts["p", "m"]) == 1


def test_dollars_of_judges_stand_apart(table: Make) -> None:
    """Answers and requests of judges about them; what has no price has no sum."""
    rows: list[dict[str, Any]] = [
        {"sample_id": "a", "cost_usd": 1.5, "prompt_tokens": 3, "completion_tokens": 4},
        {"sample_id": "b", "cost_usd": 0.5, "cached": True},
        {"sample_id": "a", "role": "s/judge", "cost_usd": 9.0},
        {"sample_id": "a", "model": "other"},
    ]
    found = spending(table(rows), SampleQuery())
    assert [(one.model, one.judged, one.requests, one.cached, one.cost_usd) for one in found] == [
        ("m", False, 2, 1, 2.0),
        ("other", False, 1, 0, None),
        ("m", True, 1, 0, 9.0),
    ]
    assert (found[0].prompt_tokens, found[0].completion_tokens) == (3, 4)


def test_scorers_with_labels_are_known(queries: SampleQueries) -> None:
    """Those whose main score has a right label."""
    assert labelled(queries, "tickets") == ["classification"]
    assert labelled(queries, "none") == []
