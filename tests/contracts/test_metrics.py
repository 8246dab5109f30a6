import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from regrade.plugins import BUILT_INS, Registry
from regrade.protocols import Metric
from regrade.spec import build
from regrade.types import Estimate, MetricInput

NAMES = sorted(BUILT_INS["metric"])
ARGUMENTS: dict[str, Any] = {"pass_at_k": 2, "pass_all_k": {"k": 2}}


def _metric(name: str, tmp_path: Any) -> Metric:
    built = build(Registry().load("metric", name), ARGUMENTS.get(name), tmp_path)
    assert isinstance(built, Metric)
    return built


def _input(n: int, epochs: int, share_missing: float) -> MetricInput:
    random = np.random.default_rng(4)
    texts = np.array(["a", "b", "c", None], dtype=np.object_)
    expected = texts[random.integers(0, 3, n)]
    labels = np.where(
        random.random((n, epochs)) < 0.6, expected[:, None], texts[random.integers(0, 4, (n, epochs))]
    )
    missing = random.random((n, epochs)) < share_missing
    labels[missing] = None
    values = np.where(missing, np.nan, labels == expected[:, None])
    parsed = labels != None  # noqa: E711 - elementwise
    return MetricInput(
        values, bounds=(0.0, 1.0), labels=labels, expected=expected, parsed=parsed, level=0.9, seed=1
    )


def _numbers(found: Estimate) -> list[float]:
    return [one for one in (found.value, found.se, found.low, found.high) if one is not None]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("n", "missing"), [(1, 0.0), (40, 0.2)])
def test_every_metric_keeps_its_promises(name: str, n: int, missing: float, tmp_path: Any) -> None:
    """Finite numbers or None, ends around the value, n in samples."""
    found = _metric(name, tmp_path).estimate(_input(n, 2, missing))
    assert all(map(math.isfinite, _numbers(found)))
    assert found.n <= n
    value, low, high = found.value, found.low, found.high
    if low is not None and high is not None:
        assert value is not None
        assert low <= value <= high


@pytest.mark.parametrize("name", NAMES)
def test_nothing_known_gives_no_number(name: str, tmp_path: Any) -> None:
    """Where every request failed a metric has no value and no samples."""
    found = _metric(name, tmp_path).estimate(_input(40, 2, 1.0))
    assert _numbers(found) == []
    assert found.n == 0


@pytest.mark.parametrize("name", NAMES)
def test_order_of_samples_changes_no_value(name: str, tmp_path: Any) -> None:
    """Samples may come in any order, and estimating leaves the input as it was."""
    data = _input(60, 3, 0.1)
    before = data.values.copy()
    metric = _metric(name, tmp_path)
    assert data.labels is not None
    assert data.expected is not None
    assert data.parsed is not None
    turned = MetricInput(
        data.values[::-1],
        bounds=data.bounds,
        labels=data.labels[::-1],
        expected=data.expected[::-1],
        parsed=data.parsed[::-1],
        level=data.level,
        seed=data.seed,
    )
    assert metric.estimate(turned).value == pytest.approx(metric.estimate(data).value)
    assert np.array_equal(data.values, before, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_level_widens_the_interval(name: str, tmp_path: Any) -> None:
    """The level of the input is the level of the interval."""
    data = _input(200, 2, 0.0)
    metric = _metric(name, tmp_path)
    narrow = metric.estimate(data)
    wide = metric.estimate(
        MetricInput(data.values, data.bounds, None, data.labels, data.expected, data.parsed, 0.99, data.seed)
    )
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < narrow.low
    assert wide.high > narrow.high


def test_loading_metrics_is_quick() -> None:
    """Checking a spec loads every metric, and none of the packages that computing needs."""
    code = (
        "import sys; from regrade.plugins import BUILT_INS, Registry\n"
        "for name in BUILT_INS['metric']: Registry().load('metric', name)\n"
        "import regrade.aggregate\n"
        "print({'numpy', 'scipy', 'sklearn', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
