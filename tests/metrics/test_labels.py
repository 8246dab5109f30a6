import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from regrade.errors import MissingExtraError, UsageError
from regrade.metrics.labels import BalancedAccuracy, MacroF1, Mcc, MicroF1
from regrade.protocols import Metric
from regrade.types import MetricInput

NAMES = np.array(["billing", "sales", "tech"], dtype=np.object_)
ALL: list[Metric] = [MacroF1(), MicroF1(), BalancedAccuracy(), Mcc()]


def _input(expected: NDArray[np.object_], labels: NDArray[np.object_]) -> MetricInput:
    labels = labels.reshape(len(expected), -1)
    values = (labels == expected[:, None]).astype(float)
    return MetricInput(values, expected=expected, labels=labels, parsed=labels != None)  # noqa: E711


def _drawn(n: int, epochs: int = 1) -> MetricInput:
    random = np.random.default_rng(11)
    expected = random.choice(NAMES, n, p=[0.7, 0.2, 0.1])
    labels = np.where(random.random((n, epochs)) < 0.7, expected[:, None], random.choice(NAMES, (n, epochs)))
    return _input(expected, labels)


def test_values_are_scikit_learns() -> None:
    """On labelled answers the four figures are the library's, epochs pooled."""
    data = _drawn(200, epochs=2)
    assert data.expected is not None
    assert data.labels is not None
    expected = np.repeat(data.expected, 2).astype(str)
    found = data.labels.ravel().astype(str)
    assert MacroF1().estimate(data).value == pytest.approx(metrics.f1_score(expected, found, average="macro"))
    assert MicroF1().estimate(data).value == pytest.approx(metrics.f1_score(expected, found, average="micro"))
    assert BalancedAccuracy().estimate(data).value == pytest.approx(
        metrics.balanced_accuracy_score(expected, found)
    )
    assert Mcc().estimate(data).value == pytest.approx(metrics.matthews_corrcoef(expected, found))


def test_an_answer_without_a_label_is_a_miss_of_its_class() -> None:
    """It lowers recall, and is no class of its own whose F1 of zero would count."""
    expected = np.array(["a", "a", "b", "b"], dtype=np.object_)
    data = _input(expected, np.array(["a", None, "b", "b"], dtype=np.object_))
    assert MacroF1().estimate(data).value == pytest.approx((2 / 3 + 1) / 2)
    assert BalancedAccuracy().estimate(data).value == pytest.approx(0.75)


@pytest.mark.parametrize("metric", ALL)
def test_interval_encloses_the_value_and_repeats(metric: Metric) -> None:
    """The bootstrap has a fixed seed, n counts samples, and the ends lie around the value."""
    data = _drawn(150, epochs=2)
    found, again = metric.estimate(data), metric.estimate(data)
    assert found == again
    assert (found.n, found.method, found.note) == (150, "bootstrap", "")
    assert found.value is not None
    assert found.se is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(3.92 * found.se, rel=0.1)


def test_micro_f1_spreads_like_accuracy() -> None:
    """With one label an answer micro-F1 is accuracy, and so is its standard error."""
    data = _drawn(400)
    found = MicroF1().estimate(data)
    assert found.value == pytest.approx(data.values.mean())
    assert found.se == pytest.approx(data.values.std(ddof=1) / 20, rel=0.03)


def test_clusters_widen_the_interval() -> None:
    """Copies of one answer count once when they are known to be copies."""
    data = _drawn(120)
    assert data.expected is not None
    assert data.labels is not None
    copied = _input(np.repeat(data.expected, 4), np.repeat(data.labels, 4, axis=0))
    plain = MacroF1().estimate(copied).se
    clustered = MacroF1().estimate(replace(copied, clusters=np.repeat(np.arange(120), 4))).se
    once = MacroF1().estimate(data).se
    assert plain is not None
    assert clustered == pytest.approx(once, rel=0.05)
    assert clustered == pytest.approx(2 * plain, rel=0.1)


def test_warnings_stand_beside_the_number() -> None:
    """Few samples are rough, a spread of zero is no interval, and what was left out is said."""
    few = MacroF1().estimate(_drawn(99))
    assert "rough" in few.note
    perfect = MacroF1().estimate(_input(NAMES.repeat(50), NAMES.repeat(50)))
    assert (perfect.value, perfect.low, perfect.high) == (1.0, None, None)
    assert "no interval" in perfect.note
    expected = np.array([None, *NAMES.repeat(50)], dtype=np.object_)
    unknown = Mcc().estimate(_input(expected, np.array(["tech", *NAMES.repeat(50)], dtype=np.object_)))
    assert "1 samples without a known right label left out" in unknown.note


def test_failed_requests_are_no_misses() -> None:
    """A cell without a score is left out; it lowers nothing."""
    data = _input(NAMES.repeat(40), NAMES.repeat(40))
    assert data.labels is not None
    data.values[:10] = np.nan
    data.labels[:10] = None
    found = BalancedAccuracy().estimate(data)
    assert (found.value, found.n) == (1.0, 110)


def test_correlation_of_a_single_class_is_undefined() -> None:
    """0/0 is no number; the note says why."""
    same = np.array(["a"] * 10, dtype=np.object_)
    found = Mcc().estimate(_input(same, same))
    assert found.value is None
    assert "undefined" in found.note


@pytest.mark.parametrize("metric", ALL)
def test_nothing_to_compare_gives_no_value(metric: Metric) -> None:
    """Without any scored answer there is no number."""
    data = _input(NAMES.copy(), np.array([None] * 3, dtype=np.object_))
    assert metric.estimate(replace(data, values=np.full((3, 1), np.nan))).value is None


@pytest.mark.parametrize("metric", ALL)
def test_scores_without_labels_are_refused(metric: Metric) -> None:
    """A metric of labels needs a scorer that finds some."""
    with pytest.raises(UsageError, match="needs a scorer that finds labels"):
        metric.estimate(MetricInput(np.ones((5, 1))))


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without scikit-learn the message names the extra that brings it."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError) as raised:
        MacroF1().estimate(_drawn(20))
    assert "regrade[classification]" in str(raised.value)
