import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from regrade.aggregate import EvalMetrics, ScorerMetrics, summarise
from regrade.errors import UsageError
from regrade.metrics.epochs import PassAtK
from regrade.metrics.labels import MacroF1
from regrade.metrics.means import Accuracy, Mean, ParsedRate
from regrade.stats import mean_estimate
from regrade.store.schema import SAMPLES, SCORES
from regrade.types import Estimate, MetricInput, SummaryRow

EXACT = EvalMetrics((ScorerMetrics("exact", (0.0, 1.0), "higher", (("accuracy", Accuracy()),)),))


def _request(model: str, sample: int, **more: Any) -> dict[str, Any]:
    return {
        "eval": "tickets",
        "prompt": "default",
        "model": model,
        "sample_id": f"s{sample}",
        "epoch": 1,
        "role": "answer",
        "ok": "failure_kind" not in more,
        "cached": False,
        "attempts": 1,
        "metadata": "{}",
        **more,
    }


def _score(model: str, sample: int, value: float | None, **more: Any) -> dict[str, Any]:
    return {
        "eval": "tickets",
        "prompt": "default",
        "model": model,
        "sample_id": f"s{sample}",
        "epoch": 1,
        "role": "answer",
        "scorer": "exact",
        "metric": "exact",
        "value": value,
        "parsed": True,
        **more,
    }


@dataclass(frozen=True)
class Rows:
    """Summary rows, found by name."""

    rows: list[SummaryRow]

    def one(self, metric: str, model: str = "a", scorer: str = "exact", part: str = "") -> SummaryRow:
        """Return the only row of that name."""
        (found,) = (
            row
            for row in self.rows
            if (row.metric, row.model, row.scorer, row.slice) == (metric, model, scorer, part)
        )
        return found

    def names(self, **equal: str) -> list[str]:
        """Return the metrics of the rows with these fields, in order."""
        return [
            row.metric for row in self.rows if all(getattr(row, name) == text for name, text in equal.items())
        ]


def _summary(
    requests: Iterable[dict[str, Any]],
    scores: Iterable[dict[str, Any]],
    plan: EvalMetrics | Mapping[str, EvalMetrics] = EXACT,
) -> Rows:
    evals = plan if isinstance(plan, Mapping) else {"tickets": plan}
    samples = pa.Table.from_pylist(list(requests), schema=SAMPLES).to_batches()
    return Rows(summarise(samples, pa.Table.from_pylist(list(scores), schema=SCORES).to_batches(), evals))


def test_arms_come_in_first_appearance() -> None:
    """Every scorer's metrics, then the requests, arm by arm as they stand in the table."""
    requests = [_request(model, i, latency_s=0.5) for i in range(3) for model in ("b", "a")]
    scores = [_score(model, i, 1.0) for i in range(3) for model in ("a", "b")]
    found = _summary(requests, scores)
    assert list(dict.fromkeys(row.model for row in found.rows)) == ["b", "a"]
    assert found.names(model="a") == [
        "accuracy",
        "failure_rate",
        "latency_p50",
        "latency_p95",
        "prompt_tokens",
        "completion_tokens",
        "cost_usd",
        "retries",
    ]


def test_accuracy_row_is_complete() -> None:
    """Three of four right, one request failed: n counts samples with a value, n_failed those without."""
    requests = [_request("a", i) for i in range(4)] + [_request("a", 4, failure_kind="timeout")]
    scores = [_score("a", i, float(i > 0)) for i in range(4)]
    row = _summary(requests, scores).one("accuracy")
    expected = mean_estimate(np.array([0.0, 1, 1, 1]), (0, 1), None, 0.95)
    assert row == SummaryRow(
        eval="tickets",
        prompt="default",
        model="a",
        scorer="exact",
        metric="accuracy",
        better="higher",
        slice="",
        value=0.75,
        se=expected.se,
        low=expected.low,
        high=expected.high,
        level=0.95,
        n=4,
        n_failed=1,
        method="score",
    )


def test_failures_are_rates_and_never_zeros() -> None:
    """Failed requests and crashed scorers lower no score; each kind has its rate in every arm."""
    kinds = {3: "timeout", 4: "rate_limit"}
    requests = [_request("a", i, **({"failure_kind": kinds[i]} if i in kinds else {})) for i in range(5)] + [
        _request("b", i) for i in range(5)
    ]
    scores = [_score(model, i, 1.0) for model in ("a", "b") for i in range(1, 3)]
    scores.append(_score("a", 0, None, parsed=None, failure_kind="scorer"))
    found = _summary(requests, scores)
    assert (found.one("accuracy").value, found.one("accuracy").n, found.one("accuracy").n_failed) == (
        1.0,
        2,
        3,
    )
    rate = found.one("failure_rate", scorer="")
    assert (rate.value, rate.better, rate.n, rate.n_failed, rate.method) == (0.4, "lower", 5, 2, "score")
    assert found.one("failure_rate.timeout", scorer="").value == pytest.approx(0.2)
    assert found.one("failure_rate.timeout", scorer="", model="b").value == 0.0
    assert found.names(scorer="", model="a")[:3] == [
        "failure_rate",
        "failure_rate.rate_limit",
        "failure_rate.timeout",
    ]


def test_numbers_of_requests() -> None:
    """Quantiles of seconds, sums of tokens and dollars, retries; what is not known is counted."""
    requests = [
        _request(
            "a",
            i,
            latency_s=float(i),
            prompt_tokens=10,
            completion_tokens=2,
            cost_usd=0.5,
            attempts=1 + i % 2,
        )
        for i in range(100)
    ]
    requests.append(_request("a", 100, latency_s=100.0))
    requests.append(_request("a", 101, failure_kind="timeout", attempts=3))
    found = _summary(requests, [])
    p50 = found.one("latency_p50", scorer="")
    assert (p50.value, p50.low, p50.high, p50.n, p50.n_failed) == (50.0, 40.0, 60.0, 101, 1)
    assert p50.method == "binomial order statistics"
    tokens = found.one("prompt_tokens", scorer="")
    assert (tokens.value, tokens.n, tokens.n_failed, tokens.note) == (
        1000.0,
        100,
        2,
        "not known for 1 answers",
    )
    assert found.one("cost_usd", scorer="").value == 50.0
    assert found.one("cost_per_answer", scorer="").value == 0.5
    assert found.one("retries", scorer="").value == 52.0
    assert "ttft_p50" not in found.names()


def test_no_price_is_no_cost() -> None:
    """Without a price the cost is unknown, not zero."""
    row = _summary([_request("a", 0, prompt_tokens=1)], []).one("cost_usd", scorer="")
    assert (row.value, row.n, row.n_failed) == (None, 0, 1)


def test_streams_have_a_first_token() -> None:
    """The time to the first token is there for the arm that streamed, and only for it."""
    requests = [_request("a", i, ttft_s=0.1, latency_s=1.0) for i in range(9)]
    requests += [_request("b", i, latency_s=1.0) for i in range(9)]
    found = _summary(requests, [])
    assert found.one("ttft_p50", scorer="").value == pytest.approx(0.1)
    assert "ttft_p50" not in found.names(model="b")


def test_judges_are_paid_for_apart() -> None:
    """Judges' requests are summed up beside their arm, and are neither answers nor failures of it."""
    requests = [_request("a", i, cost_usd=1.0) for i in range(2)]
    requests += [_request("a", i, role="graded/judge", cost_usd=0.25, prompt_tokens=7) for i in range(2)]
    requests += [_request("a", 0, role="graded/again", failure_kind="timeout")]
    found = _summary(requests, [])
    assert found.one("cost_usd", scorer="").value == 2.0
    assert found.one("failure_rate", scorer="").value == 0.0
    judge = found.one("judge_cost_usd", scorer="")
    assert (judge.value, judge.n, judge.n_failed) == (0.5, 2, 1)
    assert found.one("judge_prompt_tokens", scorer="").value == 14.0
    assert found.one("judge_completion_tokens", scorer="").value is None


def test_epochs_are_no_samples() -> None:
    """Repeats average within their sample; a failed repeat is left out of it."""
    requests = [_request("a", i, epoch=epoch) for i in range(3) for epoch in (1, 2)]
    scores = [
        _score("a", i, value, epoch=epoch) for i, epoch, value in ((0, 1, 1), (0, 2, 0), (1, 1, 1), (2, 2, 0))
    ]
    plan = EvalMetrics(
        (
            ScorerMetrics(
                "exact", (0, 1), "higher", (("mean", Mean()), ("pass@2", PassAtK(2)), ("pass@3", PassAtK(3)))
            ),
        )
    )
    found = _summary(requests, scores, plan)
    mean = found.one("mean")
    assert (mean.value, mean.n, mean.n_failed) == (0.5, 3, 2)
    assert (found.one("pass@2").value, found.one("pass@2").n) == (1.0, 1)


def test_a_metric_that_cannot_be_had_says_why() -> None:
    """Neither an unfit metric nor a crashing or infinite one of the user's takes the summary with it."""

    class Crashes:
        def estimate(self, data: MetricInput) -> Estimate:
            raise ZeroDivisionError("division by zero")

    class Infinite:
        better = "lower"

        def estimate(self, data: MetricInput) -> Estimate:
            return Estimate(math.inf, se=math.nan, n=1)

    metrics = (
        ("pass@3", PassAtK(3)),
        ("crashes", Crashes()),
        ("infinite", Infinite()),
        ("accuracy", Accuracy()),
    )
    plan = EvalMetrics((ScorerMetrics("exact", (0, 1), "higher", metrics),))
    found = _summary([_request("a", 0)], [_score("a", 0, 1.0)], plan)
    with pytest.raises(UsageError) as refused:
        PassAtK(3).check_epochs(1)
    assert (found.one("pass@3").value, found.one("pass@3").note) == (None, refused.value.message)
    assert found.one("crashes").note == "ZeroDivisionError: division by zero"
    assert (found.one("infinite").value, found.one("infinite").se) == (None, None)
    assert found.one("accuracy").value == 1.0


def test_direction_is_the_metrics_or_the_scorers() -> None:
    """A metric without a direction of its own is as good as its scorer says."""
    metrics = (("mean", Mean()), ("parsed_rate", ParsedRate()))
    plan = EvalMetrics((ScorerMetrics("exact", None, "lower", metrics),))
    found = _summary([_request("a", 0)], [_score("a", 0, 3.0)], plan)
    assert (found.one("mean").better, found.one("parsed_rate").better) == ("lower", "higher")


def test_parsed_rate_shows_where_an_answer_was_missed() -> None:
    """One unparsed answer brings the row for every arm of the eval; without any there is none."""
    requests = [_request(model, i) for model in ("a", "b") for i in range(4)]
    scores = [_score(model, i, 1.0) for model in ("a", "b") for i in range(4)]
    assert "parsed_rate" not in _summary(requests, scores).names()
    scores[0] |= {"value": 0.0, "parsed": False}
    found = _summary(requests, scores)
    assert (found.one("parsed_rate").value, found.one("parsed_rate", model="b").value) == (0.75, 1.0)


def test_further_values_have_their_mean() -> None:
    """What a scorer gives beside its main value is averaged under its own name."""
    requests = [_request("a", i) for i in range(4)]
    scores = [_score("a", i, 1.0) for i in range(4)]
    scores += [_score("a", i, float(i == 0), metric="field.name") for i in range(3)]
    row = _summary(requests, scores).one("field.name")
    assert row.value == pytest.approx(1 / 3)
    assert (row.n, row.n_failed, row.method) == (3, 1, "score")


def test_labels_reach_their_metrics() -> None:
    """Labels and right labels are laid out; a right label one arm does not know comes from another."""
    texts = ["x", "y", "y", "x"]
    requests = [_request(model, i) for model in ("a", "b") for i in range(4)]
    scores = [_score("b", i, 1.0, label=text, expected=text) for i, text in enumerate(texts)]
    scores += [_score("a", i, 1.0, label=text, expected=text) for i, text in enumerate(texts[:3])]
    scores += [_score("a", 3, 0.0, parsed=False)]
    plan = EvalMetrics((ScorerMetrics("exact", (0, 1), "higher", (("macro_f1", MacroF1()),)),))
    found = _summary(requests, scores, plan)
    assert found.one("macro_f1", model="b").value == 1.0
    assert found.one("macro_f1").value == pytest.approx((2 / 3 + 1) / 2)
    assert found.one("macro_f1").n == 4


def test_clusters_widen_intervals_and_missing_ones_stand_alone() -> None:
    """Samples of one source count together; a sample without a source is one of its own."""
    sources = ["p", "p", "q", "q", None, None]
    scores = [_score("a", i, float(i < 3)) for i in range(6)]
    clustered = _summary([_request("a", i, cluster=source) for i, source in enumerate(sources)], scores)
    assert clustered.one("accuracy").method == "CR2"
    alone = [_request("a", i, cluster="p" if i == 0 else None) for i in range(6)]
    assert _summary(alone, scores).one("accuracy").method == "score"


def test_half_a_run_counts_what_is_there() -> None:
    """An arm that was interrupted has only its own requests, whatever the others finished."""
    requests = [_request("a", i) for i in range(4)] + [_request("b", 0)]
    found = _summary(requests, [_score(model, 0, 1.0) for model in ("a", "b")])
    assert (found.one("accuracy", model="b").n, found.one("accuracy", model="b").n_failed) == (1, 0)
    assert found.one("accuracy").n_failed == 3
    assert found.one("failure_rate", model="b", scorer="").n == 1


def test_scores_of_unknown_requests_are_left_out() -> None:
    """A score row without its request, in any part of the key, changes nothing."""
    strays = [
        _score("a", 9, 1.0),
        _score("z", 0, 1.0),
        _score("a", 0, 1.0, epoch=9),
        _score("a", 0, 1.0, prompt="other"),
        _score("a", 0, 1.0, eval="other"),
    ]
    row = _summary([_request("a", 0)], [_score("a", 0, 0.0), *strays]).one("accuracy")
    assert (row.value, row.n) == (0.0, 1)


def test_evals_and_prompts_keep_apart() -> None:
    """The same sample and model under another eval or prompt is another arm, with requests of its own."""
    requests = [_request("a", 0), _request("a", 0, prompt="short"), _request("a", 0, eval="other")]
    scores = [_score("a", 0, 1.0), _score("a", 0, 0.0, prompt="short"), _score("a", 0, 0.0, eval="other")]
    found = _summary(requests, scores)
    assert [(row.prompt, row.value) for row in found.rows if row.metric == "accuracy"] == [
        ("default", 1.0),
        ("short", 0.0),
    ]
    assert found.names(eval="other")[0] == "failure_rate"


def test_order_of_rows_changes_no_number() -> None:
    """Tables may stand in any order; only the order of the arms follows them."""
    random = np.random.default_rng(0)
    requests = [
        _request(model, i, latency_s=float(random.random()), metadata=json.dumps({"k": i % 3}))
        for model in ("a", "b")
        for i in range(30)
    ]
    scores = [_score(model, i, float(random.integers(2))) for model in ("a", "b") for i in range(30)]
    plan = EvalMetrics(EXACT.scorers, ("k",))
    turned = _summary(requests[::-1], scores[::-1], plan).rows
    assert sorted(map(_rounded, turned)) == sorted(map(_rounded, _summary(requests, scores, plan).rows))


def _rounded(row: SummaryRow) -> str:
    numbers = [row.value, row.se, row.low, row.high]
    return str([*astuple(row)[:7], *(None if one is None else round(one, 12) for one in numbers), row.n])


def test_empty_tables_give_no_rows() -> None:
    """A run that has not finished a request has nothing to say."""
    assert _summary([], []).rows == []
