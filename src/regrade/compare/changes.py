"""Every metric of two arms as one row: values, difference, interval, p."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from regrade.arms import Arm, Joined, Measure, Pairing, taken
from regrade.compare.pairing import other_mode, pair_up
from regrade.comparisons import Change
from regrade.protocols import OfLabels, PerSample
from regrade.stats import (
    Differences,
    LabelDraws,
    answered,
    compare_labels,
    detectable_drop,
    draw_labels,
    epoch_means,
    holm,
    newcombe_independent,
    paired_bounds,
    paired_test,
    welch,
)

__all__ = ["change_of", "changes_of"]

_ALPHA = 0.05
_FEW_LABELLED = 100
_FEW_UNBOUNDED = 30
_FEW_CLUSTERS = 10


def changes_of(pairs: Sequence[Joined], level: float, seed: int) -> list[Change]:
    """Return a row for every metric that both arms of a pair have, then for those that one alone has.

    p is adjusted by Holm over the metrics of all scorers, and the drop that would have been shown is that of
    a test at an even share of alpha: what is shown whatever the other metrics do.

    Args:
        pairs: Arms with their common samples; without any they are compared as independent.
        level: Of every interval.
        seed: Of every draw.
    """
    rows = [row for joined in pairs for row in _rows(joined, level, seed)]
    family = [place for place, (one, _) in enumerate(rows) if one.scorer and one.p is not None]
    ps = holm(np.array([rows[place][0].p for place in family], dtype=np.float64))
    adjusted = dict(zip(family, ps.tolist(), strict=True))
    return [
        replace(
            row,
            p_adjusted=adjusted.get(place),
            detectable=_detectable(differences, len(family) if place in adjusted else 1),
        )
        for place, (row, differences) in enumerate(rows)
    ]


def _rows(joined: Joined, level: float, seed: int) -> Iterator[tuple[Change, Differences | None]]:
    """Yield each row with the differences that it rests on, where it is a mean of them."""
    labelled: dict[str, tuple[Pairing, LabelDraws]] = {}
    for measure in joined.b.measures:
        other = joined.a.measure(*measure.name)
        if other is None:
            yield _blank(joined, measure, f"{joined.a.run} has no such metric"), None
        elif joined.rows_a.size and measure.scorer in labelled and isinstance(measure.source, OfLabels):
            pairing, draws = labelled[measure.scorer]
            again = replace(pairing, metric=measure.metric, label_statistic=measure.source.label_statistic)
            yield _row(again, level, seed, draws), None
        elif joined.rows_a.size:
            pairing = pair_up(joined, other, measure, seed)
            drawn = None if pairing.labels is None else draw_labels(pairing.labels, seed)
            if drawn is not None:
                labelled[measure.scorer] = pairing, drawn
            yield _row(pairing, level, seed, drawn), pairing.mean
        else:
            yield _unpaired(joined, other, measure, level), None
    for measure in joined.a.measures:
        if joined.b.measure(*measure.name) is None:
            yield _blank(joined, measure, f"{joined.b.run} has no such metric"), None


def change_of(pairing: Pairing, level: float, seed: int) -> Change:
    """Return the row of one pairing that belongs to no family.

    Args:
        pairing: One metric over the common samples.
        level: Of its interval.
        seed: Of every draw.
    """
    return replace(_row(pairing, level, seed, None), detectable=_detectable(pairing.mean, 1))


def _detectable(differences: Differences | None, family: int) -> float | None:
    """Return the drop that the two-sided test shows as one of so many."""
    return None if differences is None else detectable_drop(differences, _ALPHA / 2 / family)


def _row(pairing: Pairing, level: float, seed: int, draws: LabelDraws | None) -> Change:
    """Return the row of one pairing, with the draws that another metric of the same labels made."""
    row = _start(pairing.joined, pairing)
    row = replace(
        row,
        n=pairing.n,
        share=pairing.share,
        value_a=pairing.value_a,
        value_b=pairing.value_b,
        missing_a=pairing.missing.a,
        missing_b=pairing.missing.b,
        level=level,
    )
    if pairing.problem:
        return replace(row, note=pairing.problem)
    return _of_labels(row, pairing, seed, draws) if pairing.mean is None else _of_means(row, pairing, seed)


def _of_means(row: Change, pairing: Pairing, seed: int) -> Change:
    if pairing.mean is None:
        return row
    test, bounds = paired_test(pairing.mean, seed), paired_bounds(pairing.mean, row.level)
    low, high = _ends(pairing.sign, bounds.low, bounds.high)
    return replace(
        row,
        difference=pairing.sign * test.mean,
        se=test.se,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        p=test.two_sided,
        wins=test.wins,
        losses=test.losses,
        ties=test.ties,
        method=f"{test.method}; {bounds.method}",
        note="; ".join(_notes(pairing)),
    )


def _of_labels(row: Change, pairing: Pairing, seed: int, draws: LabelDraws | None) -> Change:
    if pairing.labels is None:
        return row
    found = compare_labels(pairing.label_statistic, pairing.labels, row.level, seed, draws)
    return replace(
        row,
        value_a=found.a,
        value_b=found.b,
        difference=found.b - found.a,
        se=found.se,
        low=found.low,
        high=found.high,
        p=min(1.0, 2 * min(found.less, found.greater)),
        method="exchange within samples; paired bootstrap",
        note="; ".join(_notes(pairing)),
    )


def _judged(pairing: Pairing) -> bool:
    """Return whether a model gave the scores."""
    measure = pairing.joined.b.measure(pairing.scorer, pairing.metric)
    return measure is not None and measure.judged


def _notes(pairing: Pairing) -> Iterator[str]:
    """Yield what keeps a figure from being taken at its face."""
    mean = pairing.mean
    if mean is None and pairing.n < _FEW_LABELLED:
        yield f"rough: fewer than {_FEW_LABELLED} samples"
    if mean is not None and mean.clustered and mean.units < _FEW_CLUSTERS:
        yield f"rough: {mean.units} clusters"
    if mean is not None and mean.reach is None and mean.d.size < _FEW_UNBOUNDED:
        yield f"rough: fewer than {_FEW_UNBOUNDED} samples of an unbounded measure"
    if _judged(pairing):
        yield "a judge's own error is not in p"
    if pairing.missing.p <= _ALPHA and pairing.scorer:
        yield f"failures are not spread alike over both (p = {pairing.missing.p:.2g})"
    a, b = pairing.joined.a.epochs, pairing.joined.b.epochs
    if a != b and pairing.scorer:
        yield f"{a} repeats against {b}"


def _unpaired(joined: Joined, a: Measure, b: Measure, level: float) -> Change:
    """Compare arms without common samples."""
    row = _start(joined, b)
    modes = other_mode(joined) if b.scorer else ""
    if modes:
        return replace(row, note=modes)
    per_a, per_b = _independent(joined.a, a), _independent(joined.b, b)
    if per_a is None or per_b is None:
        return replace(row, note="no sample is in both, and the metric has no values of single samples")
    if min(per_a.size, per_b.size) < 2:  # noqa: PLR2004 - no spread
        return replace(row, note="no sample is in both, and one value on a side tells no spread")
    found = welch(per_a, per_b, level)
    low, high, method = found.low, found.high, "Welch, unpaired"
    if all(np.isin(one, (0.0, 1.0)).all() for one in (per_a, per_b)):
        low, high = newcombe_independent(int(per_a.sum()), per_a.size, int(per_b.sum()), per_b.size, level)
        method = "Welch and Newcombe's independent interval, unpaired"
    return replace(
        row,
        n=min(per_a.size, per_b.size),
        share=b.data.bounds == (0.0, 1.0),
        value_a=float(per_a.mean()),
        value_b=float(per_b.mean()),
        difference=found.difference,
        se=found.se,
        low=low,
        high=high,
        level=level,
        p=found.two_sided,
        method=method,
        note="; ".join(_unpaired_notes(b)),
    )


def _unpaired_notes(measure: Measure) -> Iterator[str]:
    yield "unpaired: no sample is in both, and the same samples on both sides would show smaller changes"
    if measure.data.clusters is not None:
        yield "clusters are not reckoned with: the interval is too narrow"


def _independent(arm: Arm, measure: Measure) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    data = taken(measure.data, np.arange(arm.ids.size))
    if isinstance(measure.source, PerSample):
        values = measure.source.per_sample(data).values
    elif measure.source is None:
        values = epoch_means(np.where(answered(data), data.values, np.nan))
    else:
        return None
    return values[np.isfinite(values)]


def _blank(joined: Joined, measure: Measure, note: str) -> Change:
    return replace(_start(joined, measure), note=note)


def _start(joined: Joined, named: Measure | Pairing) -> Change:
    a, b = joined.a, joined.b
    return Change(
        eval=b.eval,
        run_a=a.run,
        prompt_a=a.prompt,
        model_a=a.model,
        run_b=b.run,
        prompt_b=b.prompt,
        model_b=b.model,
        scorer=named.scorer,
        metric=named.metric,
        better=named.better,
    )


def _ends(sign: float, low: float, high: float) -> tuple[float, float]:
    return (low, high) if sign > 0 else (-high, -low)
