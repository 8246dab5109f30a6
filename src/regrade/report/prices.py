"""Quality against cost and latency: which models nobody beats on both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from regrade.addresses import EvalAddress, RunAddress
from regrade.report.history import History, PastRun
from regrade.report.names import listed, short_names
from regrade.report.numbers import MISSING, format_money, format_seconds
from regrade.report.trend import day
from regrade.types import JsonObject, SummaryRow
from regrade.views import ListedNames, PriceChart, PricePoint

__all__ = ["PRICES", "price_chart", "price_records"]

_PER = 1_000


@dataclass(frozen=True, slots=True)
class _Price:
    metric: str
    head: str
    meant: str
    axis: str
    unit: str


PRICES = {
    "cost": _Price(
        "cost_usd",
        "Quality against cost",
        "filled: nobody is both better and cheaper",
        "cost per 1,000 samples",
        "$",
    ),
    "latency": _Price(
        "latency_p50",
        "Quality against latency",
        "filled: nobody is both better and faster",
        "latency p50",
        "s",
    ),
}
"""What quality is held against, by the word in addresses."""


def price_chart(history: History, by: str, address: EvalAddress) -> PriceChart:
    """Return the newest values of every model (and prompt) against what they cost.

    Values that rest on another dataset or scorer than the newest run's do not compare: they are not drawn.

    Args:
        history: Of the eval.
        by: "cost" or "latency".
        address: Of the page.
    """
    kind = PRICES[by]
    points = [point for arm in history.arms if (point := _point(history, arm, by)) is not None]
    drawn = [one for one in points if one.value is not None and one.price is not None]
    higher = history.measure.higher if history.measure else True
    judged = [_judged(one, drawn, higher=higher) for one in points]
    judged.sort(key=lambda one: (one.value is None, (one.value or 0.0) * (-1 if higher else 1)))
    missing = ""
    if not drawn:
        missing = {
            "cost": "No run of this eval knows what requests cost: give the models a price in the spec.",
            "latency": "No run of this eval measured how long its requests took.",
        }[by]
    return PriceChart(
        by, kind.head, kind.meant, kind.axis, kind.unit, address.url(by=by), tuple(judged), missing
    )


def _point(history: History, arm: tuple[str, str], by: str) -> PricePoint | None:
    found = next(((run, row) for run in reversed(history.runs) if (row := history.value(run, arm))), None)
    if found is None or history.measure is None:
        return None
    run, row = found
    compares = _compares(history, run)
    price = _price(run, arm, by)
    shown, spread = history.measure.shown(row)
    scale = history.measure.scale
    low, high = (None if end is None else end * scale for end in (row.low, row.high))
    return PricePoint(
        model=arm[1],
        prompt=arm[0] if len({prompt for prompt, _ in history.arms}) > 1 else "",
        label=_label(history, arm),
        slot=history.slots[arm[1]],
        value=(row.value or 0.0) * scale if compares else None,
        low=low,
        high=high,
        price=price,
        best=False,
        shown=shown,
        spread=spread,
        exact=history.measure.exact(row),
        price_shown=_priced(price, by),
        beaten=ListedNames(""),
        run=run.id,
        href=RunAddress(run.id, history.eval).url(),
        remark=_remark(history, run, compares=compares),
    )


def _label(history: History, arm: tuple[str, str]) -> str:
    prompts, models = (short_names(arm[at] for arm in history.arms) for at in (0, 1))
    return f"{models[arm[1]]}, {prompts[arm[0]]}" if len(prompts) > 1 else models[arm[1]]


def _compares(history: History, run: PastRun) -> bool:
    """Return whether the values of a run rest on what those of the newest with values do."""
    assert history.measure
    scorer = history.measure.scorer
    newest = next(one for one in reversed(history.runs) if one.table)
    now, then = newest.basis(scorer), run.basis(scorer)
    return all(not a or not b or a == b for a, b in zip(now, then, strict=True))


def _remark(history: History, run: PastRun, *, compares: bool) -> str:
    if not compares:
        return f"of {day(run.began)}, on another dataset or by another scorer: does not compare"
    newest = next(one for one in reversed(history.runs) if one.table)
    return "" if run is newest else f"of an older run, {day(run.began)}"


def _price(run: PastRun, arm: tuple[str, str], by: str) -> float | None:
    row: SummaryRow | None = run.row(arm, "", PRICES[by].metric)
    if row is None or row.value is None:
        return None
    if by == "latency":
        return row.value
    return row.value / row.n * _PER if row.n else None


def _priced(price: float | None, by: str) -> str:
    if price is None:
        return MISSING
    return format_money(price) if by == "cost" else format_seconds(price)


def _judged(one: PricePoint, drawn: Sequence[PricePoint], *, higher: bool) -> PricePoint:
    """Return a point that knows who beats it: at least as good for less, or better for as much."""
    if one.value is None or one.price is None:
        return one
    sign = 1.0 if higher else -1.0
    own, price = sign * one.value, one.price
    beaten = [
        f"{other.model}, {other.prompt}" if other.prompt else other.model
        for other in drawn
        if other.value is not None
        and other.price is not None
        and sign * other.value >= own
        and other.price <= price
        and (sign * other.value, other.price) != (own, price)
    ]
    return replace(one, best=not beaten, beaten=listed(beaten) if beaten else ListedNames(""))


def price_records(history: History, chart: PriceChart) -> list[JsonObject]:
    """Return every point in exact numbers."""
    if history.measure is None:
        return []
    scale = history.measure.scale
    return [
        {
            "eval": history.eval,
            "prompt": one.prompt,
            "model": one.model,
            "run": one.run,
            "scorer": history.measure.scorer,
            "metric": history.measure.metric,
            "value": None if one.value is None else one.value / scale,
            "low": None if one.low is None else one.low / scale,
            "high": None if one.high is None else one.high / scale,
            chart.by if chart.by == "latency" else "cost_per_1000": one.price,
            "nobody_beats": one.best if one.value is not None and one.price is not None else None,
            "remark": one.remark,
        }
        for one in chart.points
    ]
