"""Several models, prompts or runs by rank, from the paired tests between every two of them."""

from collections.abc import Mapping, Sequence

from regrade.compare import Rank, ranks_of
from regrade.comparisons import Change
from regrade.report.comparison import change_label
from regrade.report.measures import format_plain, unit_of
from regrade.report.names import listed
from regrade.report.numbers import MISSING
from regrade.types import JsonObject
from regrade.views import ListedNames, RankRow, RanksView

__all__ = ["between", "rank_records", "ranks_view", "tested_paragraph"]

_ALPHA = 0.05
_ROUNDING = 1e-9


def between(one: Change, by: str) -> tuple[str, str]:
    """Return what a pair holds against each other.

    Args:
        one: The pair.
        by: "model", "prompt", or "run" for runs and arms of them.
    """
    return str(getattr(one, f"{by}_a")), str(getattr(one, f"{by}_b"))


def ranks_view(changes: Sequence[Change], by: str, names: Mapping[str, str], shared: str = "") -> RanksView:
    """Return the sides of some pairs by rank, the best first; equals in the order of their names.

    Args:
        changes: The pairs of one metric, at least one.
        by: What they hold against each other.
        names: What each side is called, in order.
        shared: What tells these pairs from those of another table, such as "prompt terse".
    """
    values, alike = _values(changes, by)
    ranks = _ranks(changes, by, values, names)
    above = {name: _beaten(changes, by, name) for name in ranks}
    unit = unit_of(changes[0].scorer, changes[0].metric, share=changes[0].share)

    def told(found: Sequence[str]) -> ListedNames:
        return listed([names[one] for one in found])

    def row(name: str, rank: Rank) -> RankRow:
        untold = [one for one in ranks if one not in {name, *above[name]} and name not in above[one]]
        place = f"{rank.place}{'=' if rank.tied else ''}"
        value = format_plain(values[name], unit)
        return RankRow(place, names[name], value, told(above[name]), told(untold))

    rows = [row(*one) for one in sorted(ranks.items(), key=lambda one: one[1].place)]
    mine = {name for one in changes for name in between(one, by)}
    silent = [name for name in names if name in mine and name not in ranks]
    rows += [RankRow(MISSING, names[name], "no value", listed([]), listed([])) for name in silent]
    notes = () if alike else ("Pairs rest on different samples: a value is that over the most of them.",)
    title = f"{changes[0].eval}: {change_label(changes[0])}{f', {shared}' if shared else ''}"
    return RanksView(title, tuple(rows), notes)


def rank_records(changes: Sequence[Change], by: str, names: Mapping[str, str]) -> list[JsonObject]:
    """Return the ranks as flat records.

    Args:
        changes: The pairs of one metric, at least one.
        by: What they hold against each other.
        names: What each side is called, in order.
    """
    values, _ = _values(changes, by)
    first = changes[0]
    told = {"eval": first.eval, "scorer": first.scorer, "metric": first.metric}
    return [
        {**told, "side": name, "rank": rank.place, "tied": rank.tied, "value": values[name]}
        for name, rank in _ranks(changes, by, values, names).items()
    ]


def _ranks(
    changes: Sequence[Change], by: str, values: Mapping[str, float], names: Mapping[str, str]
) -> dict[str, Rank]:
    return ranks_of([name for name in names if name in values], changes, lambda one: between(one, by))


def _beaten(changes: Sequence[Change], by: str, name: str) -> list[str]:
    """Return the sides that one is shown to be better than."""
    found = []
    for one in changes:
        if one.p_adjusted is None or one.p_adjusted > _ALPHA or not one.difference:
            continue
        a, b = between(one, by)
        won, lost = (b, a) if (one.difference > 0) == (one.better == "higher") else (a, b)
        found += [lost] if won == name else []
    return found


def _values(changes: Sequence[Change], by: str) -> tuple[dict[str, float], bool]:
    """Return the value of each side over the most samples, and whether all of its pairs have the same."""
    found: dict[str, tuple[int, float]] = {}
    alike = True
    for one in changes:
        for name, value in zip(between(one, by), (one.value_a, one.value_b), strict=True):
            if value is None:
                continue
            known = found.get(name)
            alike &= known is None or abs(known[1] - value) < _ROUNDING
            if known is None or one.n > known[0]:
                found[name] = one.n, value
    return {name: value for name, (_, value) in found.items()}, alike


def tested_paragraph(changes: Sequence[Change], name: str, by: str) -> str:
    """Return how many of some pairs are told apart.

    Args:
        changes: The pairs.
        name: Of the eval.
        by: What they hold against each other.
    """
    if not changes:
        return ""
    tested = [one for one in changes if one.p is not None]
    shown = [one for one in tested if one.p_adjusted is not None and one.p_adjusted <= _ALPHA]
    pairs = "1 pair" if len(tested) == 1 else f"{len(tested)} pairs"
    return (
        f"{name}, {by} against {by}: {len(shown)} of {pairs} differ beyond chance (paired tests, Holm over "
        "the pairs of a metric, 5 %). Pairs that are not told apart are not shown to be equal."
    )
