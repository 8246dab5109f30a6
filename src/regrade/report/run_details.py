"""Details of one eval of a run: confusion, failures, spread of numbers, cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from regrade.addresses import SamplesAddress
from regrade.report.numbers import MISSING, format_count, format_money, format_seconds
from regrade.types import Json, JsonObject
from regrade.views import (
    BarsView,
    ConfusionCell,
    ConfusionView,
    CostRow,
    FailureRow,
    SpreadRow,
    SpreadsView,
    TextPart,
)

__all__ = [
    "ConfusionFacts",
    "SpreadFacts",
    "confusion_records",
    "confusion_view",
    "cost_rows",
    "failure_row",
    "spread_records",
    "spreads_view",
]

_POINT = "\N{MIDDLE DOT}"
_MOST_LABELS = 20
_NOTHING = "no label"
_BLUES, _ORANGES = 7, 4
_STEEP = 20
_Arm = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ConfusionFacts:
    """How often each label was found where each was right.

    Attributes:
        scorer: Whose labels.
        expected: The right labels: rows.
        found: The labels found: columns; None where an answer holds none.
        counts: A row for each right label.
        samples: Where the samples of the arm are.
    """

    scorer: str
    expected: Sequence[str]
    found: Sequence[str | None]
    counts: Sequence[Sequence[int]]
    samples: SamplesAddress

    def href(self, expected: str, found: str | None) -> str:
        """Return where the samples of a cell are."""
        cell = (self.scorer, expected) if found is None else (self.scorer, expected, found)
        return self.samples.url(cell=cell)


@dataclass(frozen=True, slots=True)
class SpreadFacts:
    """How one number is spread over the samples of each arm.

    Attributes:
        head: What it is.
        seconds: Whether it is a span.
        edges: Of the bins.
        counts: Of each bin, by prompt and model.
        marks: Median and what else is known, by prompt and model: name and value.
        beyond: Whether the last bin holds the rest.
    """

    head: str
    seconds: bool
    edges: tuple[float, ...]
    counts: Mapping[_Arm, tuple[int, ...]]
    marks: Mapping[_Arm, Sequence[tuple[str, float]]] = field(default_factory=dict)
    beyond: bool = False


def confusion_view(facts: ConfusionFacts) -> ConfusionView:
    """Return the matrix; of many labels the most frequent, the others in one column."""
    totals = {label: sum(row) for label, row in zip(facts.expected, facts.counts, strict=True)}
    shown = sorted(sorted(totals, key=lambda label: -totals[label])[:_MOST_LABELS])
    columns, rest = _columns(facts, set(shown))
    rows = []
    for label, counts in zip(facts.expected, facts.counts, strict=True):
        if label in shown:
            rows.append((label, _cells(facts, label, (counts, columns, rest)), _recall(facts, label, counts)))
    heads = [_NOTHING if facts.found[place] is None else str(facts.found[place]) for place in columns]
    note = ""
    if len(shown) < len(totals) or rest:
        note = f"{len(shown)} of {len(totals)} right labels, those of most answers; all are in the export."
    return ConfusionView(
        scorer=facts.scorer,
        found=(*heads, *(["others"] if rest else [])),
        rows=tuple(rows),
        worst=tuple(_worst(facts)),
        note=note,
    )


def _columns(facts: ConfusionFacts, shown: set[str]) -> tuple[list[int], list[int]]:
    """Return the places of the columns that are shown, and of those that are summed up."""
    sums = [sum(row[place] for row in facts.counts) for place in range(len(facts.found))]
    wanted = [place for place, label in enumerate(facts.found) if label is None or label in shown]
    others = [place for place in range(len(facts.found)) if place not in wanted]
    room = max(0, _MOST_LABELS + 1 - len(wanted))
    kept = sorted(others, key=lambda place: -sums[place])[:room]
    columns = sorted([*wanted, *kept])
    return columns, [place for place in others if place not in kept]


def _cells(
    facts: ConfusionFacts, label: str, row: tuple[Sequence[int], Sequence[int], Sequence[int]]
) -> tuple[ConfusionCell, ...]:
    counts, columns, rest = row
    total = sum(counts) or 1
    cells = [_cell(facts, label, facts.found[place], (counts[place], total)) for place in columns]
    if rest:
        count = sum(counts[place] for place in rest)
        said = f"{label} answered as one of {len(rest)} other labels: {count:,} of {total:,}"
        cells.append(
            ConfusionCell(f"{count:,}" if count else _POINT, "", "w1" if count else "h0", False, said)
        )
    return tuple(cells)


def _cell(facts: ConfusionFacts, label: str, found: str | None, part: tuple[int, int]) -> ConfusionCell:
    count, total = part
    share, right = count / total, found == label
    look = "h0"
    if count:
        look = (
            f"h{1 + min(_BLUES - 1, int(share * _BLUES))}"
            if right
            else f"w{1 + min(_ORANGES - 1, int(share * _STEEP))}"
        )
    named = "without a label" if found is None else f"as {found}"
    said = f"{label} answered {named}: {count:,} of {total:,}, {share * 100:.1f} %"
    return ConfusionCell(
        f"{count:,}" if count else _POINT, facts.href(label, found) if count else "", look, right, said
    )


def _recall(facts: ConfusionFacts, label: str, counts: Sequence[int]) -> str:
    total = sum(counts)
    right = sum(count for found, count in zip(facts.found, counts, strict=True) if found == label)
    return f"{right / total * 100:.0f} %" if total else MISSING


def _worst(facts: ConfusionFacts) -> Iterable[TextPart]:
    wrong = [
        (count, label, found)
        for label, row in zip(facts.expected, facts.counts, strict=True)
        for found, count in zip(facts.found, row, strict=True)
        if count and found != label
    ]
    if not wrong:
        return
    count, label, found = max(wrong, key=lambda one: one[0])
    named = "without a label" if found is None else f"as {found}"
    yield TextPart("The largest confusion: ")
    yield TextPart(f"{label} answered {named}", facts.href(label, found))
    yield TextPart(f", {count:,} {'time' if count == 1 else 'times'}.")


def confusion_records(facts: ConfusionFacts, arm: Mapping[str, Json]) -> list[JsonObject]:
    """Return a record a cell, those without an answer left out."""
    return [
        {**arm, "scorer": facts.scorer, "expected": label, "found": found, "count": count}
        for label, row in zip(facts.expected, facts.counts, strict=True)
        for found, count in zip(facts.found, row, strict=True)
        if count
    ]


def failure_row(record: JsonObject, run: str, *, several_prompts: bool) -> FailureRow:
    """Return what failed in one way.

    Args:
        record: Arm, kind, stage, count, message, attempts.
        run: The run's id.
        several_prompts: Whether the run has more than one.
    """
    samples = SamplesAddress(
        run,
        eval=record["eval"],
        prompt=record["prompt"] if several_prompts else "",
        model=(record["model"],),
        outcome=("failure",),
        kind=(record["kind"],),
    )
    arm = f"{record['prompt']} {record['model']}" if several_prompts else record["model"]
    low, high = record["attempts"] or (None, None)
    attempts = MISSING if low is None else f"{low} each" if low == high else f"{low} to {high}"
    return FailureRow(
        kind=str(record["kind"]).replace("_", " "),
        message=record["message"],
        stage=record["stage"],
        eval=record["eval"],
        arm=arm,
        count=f"{record['count']:,}",
        href=samples.url(),
        attempts="1" if attempts == "1 each" else attempts,
    )


def spreads_view(
    columns: Sequence[SpreadFacts], arms: Sequence[_Arm], slots: Mapping[str, int]
) -> SpreadsView | None:
    """Return how numbers are spread; None where there are none.

    Args:
        columns: Those that some arm has.
        arms: Prompt and model, in order.
        slots: Colour of each model.
    """
    if not columns:
        return None
    several = len({prompt for prompt, _ in arms}) > 1
    rows = []
    for prompt, model in arms:
        bars = tuple(_bars(one, (prompt, model)) for one in columns)
        if any(bars):
            rows.append(SpreadRow(model, prompt if several else "", slots.get(model, 0), bars))
    return SpreadsView(tuple(one.head for one in columns), tuple(rows), any(one.beyond for one in columns))


def _bars(facts: SpreadFacts, arm: _Arm) -> BarsView | None:
    counts = facts.counts.get(arm)
    if counts is None:
        return None
    write = format_seconds if facts.seconds else format_count
    marks = facts.marks.get(arm, ())
    said = f"{sum(counts):,} requests"
    said += "".join(f", {name} {write(value)}" for name, value in marks)
    return BarsView(counts, facts.edges, tuple((value, write(value)) for _, value in marks), said)


def spread_records(facts: SpreadFacts, eval_name: str) -> list[JsonObject]:
    """Return a record a bin of each arm."""
    return [
        {
            "eval": eval_name,
            "prompt": prompt,
            "model": model,
            "measure": facts.head,
            "low": facts.edges[place],
            "high": None if facts.beyond and place == len(counts) - 1 else facts.edges[place + 1],
            "count": count,
        }
        for (prompt, model), counts in facts.counts.items()
        for place, count in enumerate(counts)
    ]


def cost_rows(records: Sequence[JsonObject]) -> list[CostRow]:
    """Return what each model took over all evals and prompts, its judges apart, and the sum."""
    names = ("requests", "cached", "prompt_tokens", "completion_tokens", "cost_usd")
    sums: dict[tuple[str, bool], dict[str, float | None]] = {}
    for one in records:
        own = sums.setdefault((one["model"], one["judged"]), dict.fromkeys(names))
        for name in names:
            if one[name] is not None:
                own[name] = (own[name] or 0) + one[name]
    whole: dict[str, float | None] = dict.fromkeys(names)
    for own in sums.values():
        for name, value in own.items():
            whole[name] = whole[name] if value is None else (whole[name] or 0) + value
    spent = whole["cost_usd"] or 0.0
    rows = [
        _cost_row(model, "judges" if judged else "answers", own, spent)
        for (model, judged), own in sums.items()
    ]
    return [*rows, _cost_row("Whole run", "", whole, 0.0)] if len(rows) > 1 else rows


def _cost_row(name: str, what: str, own: Mapping[str, float | None], spent: float) -> CostRow:
    cost = own["cost_usd"]
    return CostRow(
        name=name,
        what=what,
        requests=f"{own['requests'] or 0:,.0f}",
        cached=f"{own['cached'] or 0:,.0f}",
        tokens_in=format_count(own["prompt_tokens"]),
        tokens_out=format_count(own["completion_tokens"]),
        cost=format_money(cost),
        share="" if cost is None or not spent else f"{cost / spent * 100:.0f} %",
        is_sum=not what,
    )
