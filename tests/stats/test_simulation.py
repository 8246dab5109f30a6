import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from regrade.stats import Differences, mcnemar_power

SCRIPT = Path(__file__).parents[2] / "benchmarks/simulate.py"
SEED = 20
DRAWS = {20: 200, 200: 120, 2000: 40}  # the script draws at least fifteen times as many
CHEAP_DRAWS = 1000  # of what takes few different values


def script() -> ModuleType:
    """Return the simulations of `make simulate`, which stand outside of the package."""
    spec = importlib.util.spec_from_file_location("simulate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


simulate: Any = script()


def named(draws: Any) -> list[Any]:
    """Return ways to draw, as parameters under their own names."""
    return [pytest.param(draw, id=draw.__name__) for draw in draws]


def drawn(draw: Any, n: int) -> int:
    """Return how often to draw."""
    return CHEAP_DRAWS if draw.__name__.startswith("right_wrong") else DRAWS[n]


def allowed(alpha: float, draws: int) -> float:
    """Return alpha and three Monte Carlo standard errors."""
    return float(alpha + simulate.margin_of_error(alpha, draws))


@pytest.mark.parametrize("n", [20, 200, 2000])
@pytest.mark.parametrize("draw", named(simulate.NULLS))
def test_equal_arms_fail_no_more_often_than_alpha(draw: Any, n: int) -> None:
    """A candidate as good as the baseline fails `no_regression` in at most 5 % of the draws."""
    row = simulate.false_alarms(draw, n, drawn(draw, n), SEED)
    assert row.rates["FAIL"] <= allowed(0.05, row.draws)


@pytest.mark.parametrize(("n", "margin"), [(20, 0.05), (200, 0.05), (2000, 0.05), (2000, 0.02)])
@pytest.mark.parametrize("draw", named(simulate.MARGINS))
def test_at_the_margin_neither_verdict_comes_more_often_than_alpha(draw: Any, n: int, margin: float) -> None:
    """With the truth at the margin PASS and FAIL are both wrong: by noise, rare breaks and rare gains."""
    row = simulate.at_the_margin(draw, n, margin, drawn(draw, n), SEED)
    assert row.rates["PASS"] <= allowed(0.05, row.draws)
    assert row.rates["FAIL"] <= allowed(0.05, row.draws)


@pytest.mark.parametrize(
    "draw", named([simulate.right_wrong_breaks, simulate.graded_breaks, simulate.clusters_break])
)
def test_an_equal_model_cannot_pass_on_few_samples(draw: Any) -> None:
    """Below ln(alpha)/ln(1 - margin) samples, 59 at a margin of .05, nothing was seen of rare breaks."""
    for n, verdict in ((58, "INCONCLUSIVE"), (59, "PASS")):
        d = draw(np.random.default_rng(SEED), n, 0.0)
        if d.clusters is None:
            assert simulate.non_inferior(d, 0.05) == verdict
        else:
            assert simulate.non_inferior(d, 0.05) == "INCONCLUSIVE"


def test_a_visible_gain_passes_on_few_samples() -> None:
    """A lower bound above 0 needs no rare breaks to have been seen."""
    gain = Differences(np.repeat([1.0, 0.0], [12, 18]), 1.0)
    assert simulate.non_inferior(gain, 0.05) == "PASS"


@pytest.mark.parametrize("n", [50, 200])
def test_losses_that_unseen_gains_balance_carry_a_note(n: int) -> None:
    """Equal means by rare gains look like a loss; every such alarm is marked as one that gains could undo."""
    row = simulate.false_alarms(simulate.rare_gains, n, 200, SEED)
    assert row.rates["FAIL"] > 0.05
    assert row.rates["of these with a note"] == row.rates["FAIL"]


@pytest.mark.parametrize("margin", [0.02, 0.05, 0.1])
def test_rare_breaks_at_the_worst_of_all_sizes(margin: float) -> None:
    """Over every n up to 400 a rare break passes at most 1.8 points above alpha, as score intervals do."""
    assert 0.05 < simulate.worst_break(margin).rates["PASS"] <= 0.068


@pytest.mark.parametrize("n", [20, 200, 2000])
def test_false_alarms_at_the_worst_discordance(n: int) -> None:
    """Over every discordance mid-p stays within a point of alpha."""
    assert simulate.worst_discordance(n).rates["FAIL"] <= 0.06


@pytest.mark.parametrize("n", [10, 50, 200])
@pytest.mark.parametrize("case", simulate.RUNS)
def test_coverage_of_one_run(case: str, n: int) -> None:
    """The 95 % interval holds the true mean in 94.6 to 98.7 % of the draws; few clusters widen it."""
    row = simulate.coverage(case, n, 200, SEED)
    assert row.rates["covered"] >= 0.946 - simulate.margin_of_error(0.946, 200)
    if case != "clusters":  # two clusters of ten samples know that they know nothing
        assert row.rates["covered"] <= 0.987 + simulate.margin_of_error(0.987, 200)


@pytest.mark.parametrize("n", [10, 50, 200])
def test_coverage_of_shares(n: int) -> None:
    """Over all shares the interval covers 95 %, counted out; ten samples with 98 % right 98.4 %."""
    shares = simulate.SHARES[-1]
    assert 0.946 <= simulate.covered_shares(n, shares).rates["covered"] <= 0.987
    assert simulate.covered_shares(10, (0.98,)).rates["covered"] == pytest.approx(0.9838, abs=1e-4)


@pytest.mark.parametrize(("draw", "drop"), simulate.PLANS)
def test_planned_samples_keep_their_power(draw: Any, drop: float) -> None:
    """At the size that planning asks for, the test shows the drop in 80 % of the draws, within 3 points.

    The page of the full simulation holds that to a quarter of the error of these draws, which comes on top.
    """
    row = simulate.kept_power(draw, drop, 200, SEED)
    assert row.n >= 100
    assert abs(row.rates["power"] - 0.8) <= 0.03 + simulate.margin_of_error(0.8, 200)


@pytest.mark.parametrize(
    ("n", "q", "drop"), [(20, 0.5, 0.2), (200, 0.1, 0.05), (200, 0.3, 0.0), (300, 0.05, 0.05)]
)
def test_promised_power_is_that_of_every_table(n: int, q: float, drop: float) -> None:
    """For right and wrong the promise is exact: the test itself, over all tables, gives it to 1e-9."""
    assert mcnemar_power(n, q, drop, 0.05) == pytest.approx(simulate.exact_power(n, q, drop), abs=1e-9)
