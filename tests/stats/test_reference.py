import itertools
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from regrade.stats import (
    Differences,
    benjamini_hochberg,
    betting_log_wealth,
    bootstrap_totals,
    bounded_mean_interval,
    bounded_mean_z,
    cluster_error,
    cohen_kappa,
    corrected_mean,
    empirical_bernstein,
    epoch_means,
    epoch_spread,
    holm,
    limit_p,
    mcnemar,
    mcnemar_power,
    mean_drop,
    mean_samples,
    paired_bounds,
    pass_all_k,
    pass_at_k,
    planned_sd,
    sequential_mcnemar,
    sign_flip,
    spending_bounds,
    standard_error,
    t_interval,
    t_samples,
    welch,
)

Floats = NDArray[np.float64]
Case = dict[str, Any]
Check = Callable[[Case, Any, float], None]

NORMAL = NormalDist()


@pytest.fixture(scope="module")
def reference() -> dict[str, Case]:
    """Return the reference cases by id: figures of statsmodels, SciPy, R, ppi-python and confseq."""
    folder = os.environ.get("REGRADE_REAL_DATA")
    if not folder:
        pytest.skip("REGRADE_REAL_DATA names no folder with statistics/reference.json")
    cases = json.loads((Path(folder) / "statistics/reference.json").read_text())["cases"]
    return {case["id"]: case for case in cases}


def near(expected: Any, tolerance: float) -> Any:
    """Return what compares equal within an absolute tolerance."""
    return pytest.approx(expected, abs=tolerance, rel=0)


def floats(values: Any) -> Floats:
    """Return an array of numbers."""
    return np.array(values, dtype=np.float64)


def table(case: Case) -> Floats:
    """Return the differences of a table of pairs."""
    counts = [case["a_only"], case["both_right"] + case["both_wrong"], case["b_only"]]
    return np.repeat([-1.0, 0.0, 1.0], counts)


def wilson(case: Case, expected: Any, tol: float) -> None:
    """The score interval of right and wrong answers."""
    right, n = case["x"], case["n"]
    x = np.repeat([1.0, 0.0], [right, n - right])
    assert bounded_mean_interval(x, 0, 1, case["level"]) == near(expected, tol)


def mean_se(case: Case, expected: Any, tol: float) -> None:
    """Mean, its standard error, and the spread between epochs; a negative one is reported as none."""
    scores = floats(case["scores"])
    means = epoch_means(scores)
    assert means.mean() == near(expected["mean"], tol)
    assert standard_error(means) == near(expected["se"], tol)
    assert epoch_spread(scores) == near((expected["within_var"], max(expected["between_var"], 0)), tol)


def clustered_se(case: Case, expected: Any, tol: float) -> None:
    """CR2 with its degrees of freedom; the published CR0 and CR1 of the same sums lie below it."""
    d, clusters = floats(case["d"]), np.array(case["cluster"])
    se, df = cluster_error(d, clusters)
    assert (se, df) == near(expected["cr2_and_df"], tol)
    sums = np.bincount(clusters, weights=d - d.mean())
    plain = math.sqrt(float(sums @ sums)) / d.size
    assert (d.mean(), plain) == near((expected["mean"], expected["se_cr0"]), tol)
    assert plain * math.sqrt(sums.size / (sums.size - 1)) == near(expected["se_cr1"], tol)
    assert plain < expected["se_cr1"] <= se + tol


def mcnemar_p(case: Case, expected: Any, tol: float) -> None:
    """All four p values of a table of pairs."""
    found = mcnemar(case["b"], case["c"])
    assert found.exact == near(expected["two_sided_exact"], tol)
    assert found.midp == near(expected["two_sided_midp"], tol)
    assert found.exact_less == near(expected["one_sided_exact_b_greater"], tol)
    assert found.less == near(expected["one_sided_midp_b_greater"], tol)


def newcombe_paired(case: Case, expected: Any, tol: float) -> None:
    """Newcombe's paired interval, squared and added up from the score intervals of both arms."""
    right, a_only, b_only, wrong = (case[name] for name in ("both_right", "a_only", "b_only", "both_wrong"))
    n = right + a_only + b_only + wrong
    shares, ends = [], []
    for count in (right + b_only, right + a_only):
        shares.append(count / n)
        x = np.repeat([1.0, 0.0], [count, n - count])
        ends.append(bounded_mean_interval(x, 0, 1, case["level"]))
    margins = (right + a_only) * (b_only + wrong) * (right + b_only) * (a_only + wrong)
    cross = right * wrong - a_only * b_only
    if cross > n / 2:
        cross = cross - n / 2
    elif cross >= 0:
        cross = 0
    phi = cross / math.sqrt(margins) if margins else 0.0
    (b, a), ((b_low, b_high), (a_low, a_high)) = shares, ends
    down, up = (b - b_low, a_high - a), (b_high - b, a - a_low)
    low, high = (math.sqrt(one**2 - 2 * phi * one * other + other**2) for one, other in (down, up))
    assert (b - a - low, b - a + high) == near(expected, tol)


def tango(case: Case, expected: Any, tol: float) -> None:
    """The score interval of differences, within what a gate shows."""
    d = table(case)
    found = bounded_mean_interval(d, -1, 1, case["level"])
    assert found == near(expected["interval"], tol)
    assert found == near(expected["check"], 5e-8)
    shown = paired_bounds(Differences(d, 1.0), case["level"])
    assert shown.low <= found[0]
    assert found[1] <= shown.high


def paired_t(case: Case, expected: Any, tol: float) -> None:
    """The paired t test of what nothing bounds: standard error, t, p and intervals."""
    d = floats(case["b"]) - floats(case["a"])
    mean, se, df = float(d.mean()), standard_error(d), d.size - 1
    less = limit_p(Differences(d), 0.0)
    assert (mean, se, mean / se) == near((expected["mean"], expected["se"], expected["t"]), tol)
    assert less == near(expected["p_less"], tol)
    assert 2 * min(less, limit_p(Differences(-d), 0.0)) == near(expected["p_two"], tol)
    assert t_interval(mean, se, df, 0.95) == near(expected["ci95"], tol)
    one_sided = paired_bounds(Differences(d), 0.90)
    ends = expected["lower_one_sided_95"], expected["upper_one_sided_95"]
    assert (one_sided.low, one_sided.high) == near(ends, tol)


def welch_t(case: Case, expected: Any, tol: float) -> None:
    """The test of two arms without common samples."""
    found = welch(floats(case["a"]), floats(case["b"]), 0.95)
    assert (found.t, found.df, found.two_sided) == near([expected[name] for name in ("t", "df", "p")], tol)
    assert (found.low, found.high) == near(expected["ci95"], tol)


def accelerated(x: Floats, means: Floats, level: float) -> tuple[float, float, Floats, Floats]:
    """Return z0, acceleration, levels and interval of the bias-corrected bootstrap of a mean."""
    ties = np.abs(means - x.mean()) < 1e-12
    below = (means < x.mean()) & ~ties
    z0 = NORMAL.inv_cdf(float(below.mean() + ties.mean() / 2))
    left_out = (x.sum() - x) / (x.size - 1)
    away = left_out.mean() - left_out
    acceleration = float((away**3).sum() / (6 * (away**2).sum() ** 1.5))
    z = z0 + np.array([NORMAL.inv_cdf((1 - level) / 2), NORMAL.inv_cdf((1 + level) / 2)])
    levels = np.array([NORMAL.cdf(float(one)) for one in z0 + z / (1 - acceleration * z)])
    return z0, acceleration, levels, np.quantile(means, levels)


def bca_exhaustive(case: Case, expected: Any, tol: float) -> None:
    """Every resample counted out; resamples as they are drawn here come to the same within 0.01."""
    x = floats(case["x"])
    every = x[np.array(list(itertools.product(range(x.size), repeat=x.size)))].mean(axis=1)
    z0, acceleration, levels, ends = accelerated(x, every, case["level"])
    assert (z0, acceleration) == near((expected["z0"], expected["acceleration"]), tol)
    assert levels == near(expected["adjusted_levels"], tol)
    assert ends == near(expected["interval"], tol)
    assert drawn_interval(x, case["level"]) == near(expected["interval"], 0.01)


def drawn_interval(x: Floats, level: float) -> Floats:
    """Return the bias-corrected interval from the product's own resamples."""
    totals = bootstrap_totals(x[:, None], np.ones(x.size, dtype=np.int64), 5)
    return accelerated(x, totals[:, 0] / x.size, level)[3]


def bca_random(case: Case, expected: Any, tol: float) -> None:
    """Resamples as they are drawn here agree with SciPy's."""
    assert drawn_interval(floats(case["x"]), case["level"]) == near(expected, tol)


def holm_p(case: Case, expected: Any, tol: float) -> None:
    """Holm's adjusted p."""
    assert holm(floats(case["p"])) == near(expected, tol)


def benjamini_hochberg_p(case: Case, expected: Any, tol: float) -> None:
    """Benjamini and Hochberg's adjusted p."""
    assert benjamini_hochberg(floats(case["p"])) == near(expected, tol)


def passed(case: Case, expected: Any, tol: float) -> None:
    """At least one of k, and all of k, per sample and in the mean."""
    scores = floats([[1] * right + [0] * (case["K"] - right) for right in case["correct"]])
    once, always = pass_at_k(scores, case["k"]), pass_all_k(scores, case["k"])
    assert once == near(expected["per_sample"], tol)
    assert always == near(expected["pass_hat_k"], tol)
    assert (once.mean(), always.mean()) == near((expected["mean"], expected["mean_hat"]), tol)


def power_n(case: Case, expected: Any, tol: float) -> None:
    """Samples for a mean by the normal and by t; what so many show is what was asked for."""
    sd, delta, alpha, power = case["sd"], case["delta"], case["alpha"], 1 - case["beta"]
    assert mean_samples(sd, delta, alpha, power, case["sided"]) == expected["n_normal_ceil"]
    assert 1000 * (mean_drop(sd, 1000, alpha, power) / delta) ** 2 == near(expected["n_normal"], tol)
    assert t_samples(sd, delta, alpha, power) == near(expected["n_t"], tol)


def power_mcnemar(case: Case, expected: Any, tol: float) -> None:
    """Exact power of both tests; a mean's formula at the same spread has that of the normal."""
    n, q, drop, alpha = (case[name] for name in ("n", "discordance", "drop", "alpha"))
    assert mcnemar_power(n, q, drop, alpha, mid=False) == near(expected["exact"], tol)
    assert mcnemar_power(n, q, drop, alpha) == near(expected["midp"], tol)
    assert mean_drop(math.sqrt(q - drop**2), n, alpha, expected["normal"]) == near(drop, tol)


def power_epochs(case: Case, expected: Any, tol: float) -> None:
    """Samples for a mean of several epochs."""
    between, a, b = (case[name] ** 2 for name in ("between_sd", "within_sd_a", "within_sd_b"))
    sd, delta, alpha, power = (
        planned_sd(between, a, b, case["K"]),
        case["delta"],
        case["alpha"],
        1 - case["beta"],
    )
    assert mean_samples(sd, delta, alpha, power) == math.ceil(expected["n"])
    assert 1000 * (mean_drop(sd, 1000, alpha, power) / delta) ** 2 == near(expected["n"], tol)


def kappa(case: Case, expected: Any, tol: float) -> None:
    """Agreement of two raters."""
    found = cohen_kappa(np.array(case["human"]), np.array(case["judge"]))
    assert (found.kappa, found.se) == near((expected["kappa"], expected["se"]), tol)
    assert found.table.tolist() == expected["table"]


def ppi(case: Case, expected: Any, tol: float) -> None:
    """A judged mean corrected by human labels."""
    labels, judged, rest = (floats(case[name]) for name in ("labels", "judge_labelled", "judge_unlabelled"))
    found = corrected_mean(labels, judged, rest, case["level"], cautious=False)
    assert (found.weight, found.value) == near((expected["lam"], expected["estimate"]), tol)
    assert (found.low, found.high) == near(expected["interval"], tol)


def flips(case: Case, expected: Any, tol: float) -> None:
    """All patterns of signs counted."""
    d = floats(case["d"])
    assert sign_flip(d, 0, mid=False)[0] == near(expected["p_less_exact"], tol)
    assert sign_flip(d, 0)[0] == near(expected["p_less_midp"], tol)


def spending(case: Case, expected: Any, tol: float) -> None:
    """Bounds of planned looks for two ways to spend alpha."""
    share, alpha = floats(case["information"]), case["alpha"]
    spent = share * alpha
    if case["spending"] != "alpha*t":
        z = NORMAL.inv_cdf(1 - alpha / 2)
        spent = floats([2 * (1 - NORMAL.cdf(z / math.sqrt(one))) for one in share])
    assert spending_bounds(share, spent) == near(expected, tol)


def looks(case: Case, expected: Any, tol: float) -> None:
    """Losses that each look of a sequential McNemar test needs."""
    spent = case["alpha"] * floats(case["n_at_look"]) / case["N"]
    found = sequential_mcnemar(np.array(case["discordant_at_look"]), spent)
    assert found.losses.tolist() == expected["reject_if_losses_at_least"]
    assert found.spent == near(expected["spent"], tol)


def score_z(case: Case, expected: Any, tol: float) -> None:
    """The score routine's z, with the variance and the mass on the end that follow from it."""
    d, theta = floats(case["d"]), case["theta0"]
    z, away = bounded_mean_z(d, -1, 1, theta), float(d.mean()) - theta
    assert z == near(expected["z"], tol)
    variance = d.size * away**2 / z**2
    assert variance == near(expected["restricted_variance"], tol)
    shares = 1 / (1 + away / variance * (d - theta)) / d.size
    assert 1 - shares.sum() == near(expected["mass_at_end"], tol)


def betting(case: Case, expected: Any, tol: float) -> None:
    """Wealth of bets against a mean, after every difference."""
    side = {"less": -1, "greater": 1}[case["alternative"]]
    found = betting_log_wealth(floats(case["d"]), case["theta0"], side, case["horizon"], case["alpha"])
    assert found == near(expected, tol)


def bernstein(case: Case, expected: Any, tol: float) -> None:
    """Intervals that hold together at any time."""
    low, high = empirical_bernstein(floats(case["x"]), case["alpha"], case["truncation"])
    at = np.array(expected["at"]) - 1
    assert low[at] == near(expected["lower"], tol)
    assert high[at] == near(expected["upper"], tol)


CHECKS: dict[str, tuple[Check, int]] = {
    "wilson": (wilson, 6),
    "mean_se": (mean_se, 2),
    "clustered_se": (clustered_se, 3),
    "mcnemar": (mcnemar_p, 6),
    "newcombe_paired_10": (newcombe_paired, 5),
    "tango": (tango, 5),
    "paired_t": (paired_t, 2),
    "welch": (welch_t, 1),
    "bca_exhaustive": (bca_exhaustive, 2),
    "bca_random": (bca_random, 1),
    "holm": (holm_p, 3),
    "benjamini_hochberg": (benjamini_hochberg_p, 3),
    "pass_at_k": (passed, 3),
    "power_n": (power_n, 2),
    "power_mcnemar_exact": (power_mcnemar, 2),
    "power_epochs": (power_epochs, 1),
    "cohen_kappa": (kappa, 2),
    "ppi_plus_plus": (ppi, 2),
    "sign_flip": (flips, 1),
    "spending_bounds": (spending, 2),
    "sequential_mcnemar": (looks, 1),
    "bounded_score_z": (score_z, 3),
    "betting_log_wealth": (betting, 2),
    "empirical_bernstein_cs": (bernstein, 1),
}
IDS = [f"{name}-{number + 1}" for name, (_, count) in CHECKS.items() for number in range(count)]


@pytest.mark.parametrize("case_id", IDS)
def test_reference_value(case_id: str, reference: dict[str, Case]) -> None:
    """What a second implementation computed comes out within the case's tolerance."""
    case = reference[case_id]
    CHECKS[case["function"]][0](case["input"], case["expected"], case["tol"])


def test_no_case_is_left_out(reference: dict[str, Case]) -> None:
    """Every case of the reference, all 61, is one of the tests above."""
    assert sorted(reference) == sorted(IDS)
    assert len(IDS) == 61
