import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regrade.stats import mean_estimate, parsed_rate, quantile_estimate, reached, sample_mean, score_mean
from regrade.types import MetricInput, SampleValues

NAN = math.nan


def test_bounded_scores_get_the_score_interval() -> None:
    """Without clusters the range of the scores decides, at any n."""
    found = mean_estimate(np.ones(10), (0, 1), None, 0.95)
    assert (found.value, found.se, found.n, found.method) == (1.0, 0.0, 10, "score")
    assert found.low == pytest.approx(0.7224672001371107)
    assert found.high == 1.0


def test_unbounded_scores_get_t() -> None:
    """Cost and seconds get t with n - 1, and a warning below 30 samples."""
    few = mean_estimate(np.arange(29.0), None, None, 0.95)
    many = mean_estimate(np.arange(30.0), None, None, 0.95)
    assert (few.method, many.method) == ("t", "t")
    assert (bool(few.note), bool(many.note)) == (True, False)


def test_clusters_get_cr2() -> None:
    """Samples of one source widen the interval; single ones do not."""
    x = np.repeat([0.0, 1.0] * 10, 5)
    clusters = np.repeat(np.arange(20), 5)
    plain = mean_estimate(x, (0, 1), np.arange(100), 0.95)
    clustered = mean_estimate(x, (0, 1), clusters, 0.95)
    assert (plain.method, clustered.method) == ("score", "CR2")
    assert clustered.n == 100
    assert plain.low is not None
    assert clustered.low is not None
    assert clustered.low < plain.low - 0.05


def test_clustered_interval_stays_within_the_range() -> None:
    """A share cannot be above one."""
    x = np.array([1.0] * 58 + [0.0, 1.0])
    found = mean_estimate(x, (0, 1), np.repeat(np.arange(20), 3), 0.95)
    assert found.high == 1.0


def test_agreeing_clusters_leave_room_for_others() -> None:
    """Sixty right of twelve sources is no certainty: the interval is that of twelve samples."""
    found = mean_estimate(np.ones(60), (0, 1), np.repeat(np.arange(12), 5), 0.95)
    twelve = mean_estimate(np.ones(12), (0, 1), None, 0.95)
    assert found.method == "score of clusters"
    assert found.low == pytest.approx(twelve.low)


def test_few_clusters_are_rough() -> None:
    """Below ten clusters the number carries a warning; one cluster alone has no interval."""
    x = np.arange(12.0)
    assert "3 clusters" in mean_estimate(x, None, np.arange(12) % 3, 0.95).note
    alone = mean_estimate(x, None, np.zeros(12, dtype=np.int64), 0.95)
    assert (alone.value, alone.low, alone.high) == (5.5, None, None)


def test_missing_samples_are_left_out() -> None:
    """NaN is a missing value, never a zero; clusters follow."""
    found = mean_estimate(np.array([1.0, NAN, 0.0, NAN]), (0, 1), np.array([0, 0, 1, 1]), 0.95)
    assert (found.value, found.n, found.method) == (0.5, 2, "score")


def test_nothing_gives_nothing() -> None:
    """No value gives None, one unbounded value no interval."""
    assert mean_estimate(np.array([NAN]), (0, 1), None, 0.95).value is None
    single = mean_estimate(np.array([3.0]), None, None, 0.95)
    assert (single.value, single.se, single.low, single.n) == (3.0, None, None, 1)


def test_values_outside_of_the_range_lose_it() -> None:
    """A scorer that breaks its own range gets t and a note, not a failure at the end of a run."""
    found = mean_estimate(np.linspace(0, 2, 40), (0, 1), None, 0.95)
    assert found.method == "t"
    assert "0 to 1" in found.note
    assert mean_estimate(np.linspace(0, 2, 40), (0, math.inf), None, 0.95).method == "t"


@given(
    st.lists(st.one_of(st.just(NAN), st.floats(0, 1)), max_size=30),
    st.sampled_from([None, (0.0, 1.0)]),
    st.integers(1, 8),
    st.booleans(),
)
def test_no_number_is_ever_nan(
    values: list[float], bounds: tuple[float, float] | None, sources: int, clustered: bool
) -> None:
    """Whatever comes in, what comes out is finite or None, and the ends enclose the value."""
    clusters = np.arange(len(values)) % sources if clustered else None
    found = mean_estimate(np.array(values, dtype=float), bounds, clusters, 0.95)
    for number in (found.value, found.se, found.low, found.high):
        assert number is None or math.isfinite(number)
    if found.value is not None and found.low is not None and found.high is not None:
        assert found.low - 1e-12 <= found.value <= found.high + 1e-12


def test_quantile_counts_samples() -> None:
    """The number of samples is n; with too few the missing end is said."""
    found = quantile_estimate(np.array([0.1, 0.2, NAN, 0.3]), 0.95, 3, 0.95)
    assert (found.n, found.high) == (3, None)
    assert "72 samples" in found.note
    assert quantile_estimate(np.array([NAN]), 0.5, 0, 0.95).value is None


def test_epochs_never_count_as_samples() -> None:
    """Three identical epochs give exactly what one gives."""
    values = np.random.default_rng(0).integers(0, 2, size=(50, 1)).astype(float)
    once = score_mean(MetricInput(values, bounds=(0, 1)))
    thrice = score_mean(MetricInput(np.repeat(values, 3, axis=1), bounds=(0, 1)))
    assert (thrice.n, thrice.low, thrice.high) == (once.n, once.low, once.high)


def test_parsed_rate_is_of_scored_answers() -> None:
    """An answer that could not be scored is neither parsed nor missed; a label alone is a score."""
    values = np.array([[1.0], [0.0], [NAN], [NAN]])
    labels = np.array([["a"], [None], [None], ["b"]], dtype=np.object_)
    parsed = np.array([[True], [False], [False], [True]])
    found = parsed_rate(MetricInput(values, labels=labels, parsed=parsed))
    assert found.value == pytest.approx(2 / 3)
    assert found.n == 3
    assert parsed_rate(MetricInput(values)).value is None


def test_one_value_a_sample_brings_its_own_range() -> None:
    """What a metric says of each sample is averaged within that metric's range, not the scores'."""
    shares = reached(np.array([0.2, 0.5, NAN, 0.9]), 0.5)
    assert shares[[0, 1, 3]].tolist() == [0.0, 1.0, 1.0]
    data = MetricInput(np.zeros((4, 1)), bounds=(0, 10))
    found = sample_mean(SampleValues(shares, (0.0, 1.0)), data)
    assert found.value == pytest.approx(2 / 3)
    assert (found.n, found.method) == (3, "score")
    assert sample_mean(SampleValues(shares), data).method == "t"
