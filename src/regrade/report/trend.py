"""The page of one eval over time, from its history."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from regrade.addresses import CompareAddress, RunAddress, SamplesAddress
from regrade.report.comparison import mark_of
from regrade.report.history import LETTERS, Changed, History, PastRun, changes_of
from regrade.report.measures import format_change, unit_of
from regrade.report.names import short_names
from regrade.report.numbers import MISSING
from regrade.report.times import exact_time
from regrade.types import JsonObject, SummaryRow
from regrade.views import (
    BaseView,
    ChangeRow,
    ChangeSpot,
    LineView,
    Mark,
    PanelView,
    PastCell,
    PastRow,
    PointView,
)

__all__ = [
    "change_rows",
    "day",
    "facts",
    "panels",
    "past_rows",
    "thinned",
    "ticks",
    "trend_records",
]

_ALL_DRAWN = 60
_STRETCHES = 60
_TICKS = 7


def day(when: datetime | None, *, year: bool = True) -> str:
    """Write a date as people read it."""
    if when is None:
        return MISSING
    return f"{when.day} {when:%b %Y}" if year else f"{when.day} {when:%b}"


def facts(history: History) -> tuple[str, ...]:
    """Return how many runs and samples there are, and from when to when."""
    runs = history.runs
    sizes = sorted({run.samples for run in runs if run.samples})
    several = f"{sizes[0]:,} to {sizes[-1]:,}" if len(sizes) > 1 else f"{sizes[0]:,}" if sizes else ""
    first, last = day(runs[0].began), day(runs[-1].began)
    return (
        f"{len(runs):,} run{'' if len(runs) == 1 else 's'}",
        first if first == last else f"{first} to {last}",
        *([f"n {several}"] if several else []),
    )


def ticks(runs: Sequence[PastRun]) -> tuple[tuple[int, str], ...]:
    """Return places and dates for the axis: of runs of one day the time."""
    times = [run.began for run in runs]
    known = [when for when in times if when is not None]
    one_day = len({when.date() for when in known}) == 1
    years = len({when.year for when in known}) > 1
    step = max(1, -(-(len(runs) - 1) // (_TICKS - 1))) if len(runs) > 1 else 1
    found: list[tuple[int, str]] = []
    for place in range(len(runs) - 1, -1, -step):
        when = times[place]
        text = f"{when:%H:%M}" if one_day and when is not None else day(when, year=years)
        if not found or found[-1][1] != text:
            found.append((place, text))
    return tuple(reversed(found))


def thinned(history: History) -> str:
    """Return what is to be said where not all points are drawn."""
    count = len(history.runs)
    if count <= _ALL_DRAWN:
        return ""
    return (
        f"{count:,} runs are more than the width can hold: of each stretch of runs the first, last, lowest "
        "and highest value of a model are drawn, with markers at the ends of lines. The export has all."
    )


def panels(history: History) -> tuple[PanelView, ...]:
    """Return the lines of each prompt that has a value."""
    arms = history.arms
    prompts = list(dict.fromkeys(prompt for prompt, _ in arms))
    changes = changes_of(history)
    labels = short_names(model for _, model in arms)
    found = []
    for prompt in prompts:
        lines = [_line(history, arm, labels[arm[1]]) for arm in arms if arm[0] == prompt]
        drawn = tuple(line for line in lines if line.stretches)
        if drawn:
            spots = tuple(_spots([one for one in changes if _bears_on(one, prompt)]))
            name = prompt if len(prompts) > 1 else ""
            found.append(PanelView(name, drawn, spots, len(history.runs) <= _ALL_DRAWN))
    return tuple(found)


def _bears_on(change: Changed, prompt: str) -> bool:
    """Return whether a change has to do with a prompt; variants of a matrix have its values behind them."""
    return change.letter != "P" or prompt == change.name or prompt.startswith(f"{change.name}[")


def _spots(changes: Sequence[Changed]) -> Iterator[ChangeSpot]:
    for place in dict.fromkeys(one.place for one in changes):
        here = [one for one in changes if one.place == place]
        letters = "".join(letter for letter in LETTERS if any(one.letter == letter for one in here))
        yield ChangeSpot(place, letters, "; ".join(_said(one) for one in here))


def _said(one: Changed) -> str:
    return f"{one.what}: {one.words}" if one.words else one.what


def _line(history: History, arm: tuple[str, str], label: str) -> LineView:
    assert history.measure
    stretches: list[list[PointView]] = []
    basis = ("", "")
    for place, run in enumerate(history.runs):
        row = history.value(run, arm)
        if row is None:
            continue
        now = run.basis(history.measure.scorer)
        if not stretches or _differs(basis, now):
            stretches.append([])
        stretches[-1].append(_point(history, place, run, row))
        basis = now
    remark, mark = _remark(history, arm)
    return LineView(
        model=arm[1],
        label=label,
        slot=history.slots[arm[1]],
        stretches=tuple(tuple(_drawn(one, len(history.runs))) for one in stretches),
        base=_base(history, arm),
        remark=remark,
        mark=mark,
    )


def _differs(before: tuple[str, str], now: tuple[str, str]) -> bool:
    """Return whether dataset or scorer changed, as far as that is known."""
    return any(a and b and a != b for a, b in zip(before, now, strict=True))


def _point(history: History, place: int, run: PastRun, row: SummaryRow) -> PointView:
    assert history.measure
    scale = history.measure.scale
    low, high = (None if end is None else end * scale for end in (row.low, row.high))
    said = f"{row.model}, {exact_time(run.began)[:16]}: {history.measure.exact(row)}"
    return PointView(place, (row.value or 0.0) * scale, low, high, said)


def _drawn(points: Sequence[PointView], count: int) -> list[PointView]:
    """Return the points that are drawn: all, or of each stretch first, last, lowest and highest."""
    if count <= _ALL_DRAWN:
        return list(points)
    groups: dict[int, list[PointView]] = {}
    for one in points:
        groups.setdefault(one.place * _STRETCHES // count, []).append(one)
    found: list[PointView] = []
    for group in groups.values():
        ends = (group[0], group[-1])
        extremes = (min(group, key=lambda one: one.value), max(group, key=lambda one: one.value))
        found += sorted({one.place: one for one in (*ends, *extremes)}.values(), key=lambda one: one.place)
    return found


def _base(history: History, arm: tuple[str, str]) -> BaseView | None:
    """Return where the baseline is drawn: over the runs that rest on the same dataset and scorer."""
    assert history.measure
    value = history.base.get(arm)
    if value is None:
        return None
    scorer = history.measure.scorer
    places = [
        place for place, run in enumerate(history.runs) if not _differs(history.basis, run.basis(scorer))
    ]
    return BaseView(value * history.measure.scale, places[0], places[-1]) if places else None


def _remark(history: History, arm: tuple[str, str]) -> tuple[str, Mark]:
    assert history.measure
    change = history.since.get(arm)
    mark = "none" if change is None else mark_of(change)
    if change is None or change.difference is None or mark == "none":
        return "", "none"
    half = None if change.low is None or change.high is None else (change.high - change.low) / 2
    unit = unit_of(change.scorer, change.metric, share=history.measure.share)
    size = format_change(change.difference, unit, half).lstrip("+\N{MINUS SIGN}")
    return f"{'▲' if change.difference > 0 else '▼'} {size} since {history.baseline}", mark


def change_rows(history: History) -> list[ChangeRow]:
    """Return what changed, the newest first."""
    return [
        ChangeRow(
            letter=one.letter,
            when=exact_time(history.runs[one.place].began)[:16],
            run=history.runs[one.place].id,
            href=CompareAddress(
                history.runs[one.since].id, history.runs[one.place].id, eval=history.eval
            ).url(),
            what=one.what,
            how=one.words,
            hashes=f"{one.before or 'not there'} to {one.after}",
            commit=history.runs[one.place].commit,
        )
        for one in reversed(changes_of(history))
    ]


def past_rows(history: History, limit: int) -> list[PastRow]:
    """Return the newest runs with a cell for each arm."""
    arms = history.arms
    letters: dict[int, str] = {}
    for spot in _spots(changes_of(history)):
        letters[spot.place] = spot.letters
    count = len(history.runs)
    newest = list(enumerate(history.runs))[max(0, count - limit) :]
    found = []
    for place, run in reversed(newest):
        cells = tuple(_cell(history, run, arm) for arm in arms)
        note = "" if run.status == "success" else run.status
        href = RunAddress(run.id, history.eval).url()
        when = exact_time(run.began)[:16]
        size = f"{run.samples:,}" if run.samples else MISSING
        before = history.runs[place - 1].id if place else ""
        compare = CompareAddress(before, run.id, eval=history.eval).url() if before else ""
        marked = letters.get(place, "")
        found.append(PastRow(run.id, href, when, marked, note, size, run.commit, cells, compare))
    return found


def _cell(history: History, run: PastRun, arm: tuple[str, str]) -> PastCell:
    assert history.measure
    prompt, model = arm
    row = history.value(run, arm)
    rate = run.row(arm, "", "failure_rate")
    failed = f"{rate.n_failed:,}" if rate is not None and rate.n_failed else ""
    place = SamplesAddress(run.id, eval=history.eval, prompt=prompt, model=(model,))
    failed_href = place.url(outcome=("failure",)) if failed else ""
    if row is None:
        was_run = any((one.prompt, one.model) == arm for one in run.rows)
        exact = "no value" if was_run else ""
        return PastCell(MISSING if was_run else "", exact=exact, failed=failed, failed_href=failed_href)
    value, spread = history.measure.shown(row)
    return PastCell(value, spread, history.measure.exact(row), place.url(), failed, failed_href)


def trend_records(history: History) -> list[JsonObject]:
    """Return every value in exact numbers, the newest run first."""
    if history.measure is None:
        return []
    arms = history.arms
    return [
        {
            "run": run.id,
            "started_at": run.began.isoformat() if run.began else None,
            "status": run.status,
            "commit": run.commit,
            "eval": history.eval,
            "prompt": arm[0],
            "model": arm[1],
            "scorer": row.scorer,
            "metric": row.metric,
            **{name: getattr(row, name) for name in ("better", "value", "low", "high", "level", "n")},
            "n_failed": rate.n_failed if (rate := run.row(arm, "", "failure_rate")) else None,
            "dataset": run.dataset,
            "scorer_hash": run.scorers.get(row.scorer, ""),
            "prompt_hash": run.prompts.get(arm[0].partition("[")[0], ""),
            "model_hash": run.models.get(arm[1], ""),
        }
        for run in reversed(history.runs)
        for arm in arms
        if (row := run.row(arm, history.measure.scorer, history.measure.metric)) is not None
    ]
