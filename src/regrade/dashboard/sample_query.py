"""What an address asks of the samples of a run, and what of it cannot be had."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from regrade.addresses import SamplesAddress
from regrade.dashboard.page import BadRequestError
from regrade.dashboard.site import Site
from regrade.errors import RegradeError, StoreError, UsageError
from regrade.store import RunEntry
from regrade.store.sample_filters import OUTCOMES, LabelCell, SampleQuery, ScoreRange, text_pattern
from regrade.store.sample_pages import PageRequest, SortOrder
from regrade.store.sample_queries import SampleQueries
from regrade.views import LinkView, NoticeView

__all__ = ["START", "Wanted", "against_of", "filters_of", "wanted_of"]

START: dict[str, Any] = {"after": "", "before": "", "open": "", "pick": ""}
"""What changes when a filter does: the table begins anew and no story is open."""

_USUAL = ("input", "target", "text")
_CELL_PARTS = (2, 3)


@dataclass(slots=True)
class Wanted:
    """What is asked, as the store takes it.

    Attributes:
        query: Which samples.
        request: Which page of them.
        notices: What could not be understood, or is not there any more.
        nothing: Whether a filter means something that there is not, so that nothing fits.
    """

    query: SampleQuery
    request: PageRequest
    notices: list[NoticeView] = field(default_factory=list)
    nothing: bool = False


def against_of(site: Site, run: RunEntry, name: str) -> Path | None:
    """Return the file or folder of a baseline or run; None where there is none of that name."""
    found = site.baselines.find(run.results, name)
    if found is not None:
        return found.path
    try:
        return site.index.find(name).path
    except (UsageError, StoreError):
        return None


def wanted_of(address: SamplesAddress, queries: SampleQueries, *, has_reference: bool) -> Wanted:
    """Return what is asked; what cannot be understood is told and left out.

    Args:
        address: Of the page.
        queries: The run.
        has_reference: Whether what `right` names is there.

    Raises:
        BadRequestError: A text that is too long to search for.
    """
    _check_text(address.q)
    wanted = Wanted(
        SampleQuery(
            evals=_one(address.eval),
            prompts=_one(address.prompt),
            models=address.model,
            failure_kinds=address.kind,
            metadata=address.meta,
            was_right=bool(address.right) and has_reference,
            text=address.q,
        ),
        PageRequest(),
    )
    scores = queries.base.scores
    _add_scores(wanted, address, queries.scorers)
    _add_outcomes(wanted, address, queries.scorers)
    if address.right and not has_reference:
        _miss(wanted, f'There is no baseline or run "{address.right}"', address.url(right="", **START))
    sort = address.sort or "place"
    if _fails(lambda: SortOrder.of(sort, scores)):
        _note(
            wanted, f'Samples cannot be sorted by "{address.sort}"', address.url(sort="", after="", before="")
        )
        sort = "place"
    columns = tuple(one for one in address.cols if queries.columns.holds(one))
    for one in address.cols:
        if one not in columns:
            others = tuple(name for name in address.cols if name != one)
            _note(wanted, f'There is no column "{one}"', address.url(cols=others))
    wanted.request = PageRequest(
        sort, int(address.per), address.after, address.before, columns or _columns(sort)
    )
    _check_cursor(wanted, address, SortOrder.of(sort, scores))
    return wanted


def filters_of(address: SamplesAddress) -> list[LinkView]:
    """Return the filters that are used, each as a link to the page without it."""
    texts = {
        "q": f"text \u201c{address.q}\u201d",
        "eval": f"eval {address.eval}",
        "prompt": f"prompt {address.prompt}",
        "cell": f"cell {' / '.join(address.cell)}",
        "right": f"was right in {address.right}",
    }
    found = [
        LinkView(text, address.without(name).url(**START))
        for name, text in texts.items()
        if getattr(address, name)
    ]
    for name in ("model", "outcome", "kind", "score", "meta"):
        values = getattr(address, name)
        for one in values:
            said = " ".join((name, *one)) if isinstance(one, tuple) else f"{name} {one}"
            found.append(LinkView(said, address.url(**{**START, name: _without(values, one)})))
    return found


def _check_text(text: str) -> None:
    try:
        text_pattern(text)
    except UsageError as error:
        raise BadRequestError(error.message, hint=error.hint) from error


def _columns(sort: str) -> tuple[str, ...]:
    own = {
        "ttft": ("ttft_s",),
        "tokens": ("prompt_tokens", "completion_tokens"),
        "prompt_tokens": ("prompt_tokens",),
        "completion_tokens": ("completion_tokens",),
        "cost": ("cost_usd",),
    }.get(sort.removeprefix("-"), ("latency_s",))
    return (*_USUAL, *own, "attempts", "tool_calls")


def _add_scores(wanted: Wanted, address: SamplesAddress, scorers: Sequence[str]) -> None:
    ranges = []
    for pair in address.score:
        scorer, text = pair
        drop = address.url(score=_without(address.score, pair), **START)
        found = _range(scorer, text)
        if scorer not in scorers:
            _miss(wanted, f'The run has no scorer "{scorer}"', drop)
        elif found is None:
            _note(
                wanted, f'"{text}" is no range of scores', drop, "Write 0..0.5, 0.5.., ..0.5 or one number."
            )
        else:
            ranges.append(found)
    labels = None
    if address.cell:
        if len(address.cell) in _CELL_PARTS and address.cell[0] in scorers:
            labels = LabelCell(address.cell[0], address.cell[1], "".join(address.cell[2:]) or None)
        else:
            _miss(wanted, f"The run has no cell {' / '.join(address.cell)}", address.url(cell=(), **START))
    wanted.query = replace(wanted.query, scores=tuple(ranges), labels=labels)


def _add_outcomes(wanted: Wanted, address: SamplesAddress, scorers: Sequence[str]) -> None:
    known = tuple(one for one in OUTCOMES if one in address.outcome)
    for one in address.outcome:
        if one not in OUTCOMES:
            drop = address.url(outcome=_without(address.outcome, one), **START)
            _miss(wanted, f'There is no outcome "{one}"', drop, nothing=not known)
    by = address.by
    if by and by not in scorers:
        _miss(wanted, f'The run has no scorer "{by}"', address.url(by="", **START))
        by = ""
    wanted.query = replace(wanted.query, outcomes=known, by=by)


def _check_cursor(wanted: Wanted, address: SamplesAddress, order: SortOrder) -> None:
    cursor = address.before or address.after
    from regrade.store.sample_filters import Condition

    if cursor and _fails(lambda: order.add_cursor(Condition(), cursor, backwards=False)):
        _note(
            wanted,
            "The address names no place in the table as it is sorted",
            address.url(after="", before=""),
        )
        wanted.request = replace(wanted.request, after="", before="")


def _range(scorer: str, text: str) -> ScoreRange | None:
    low, dots, high = text.partition("..")
    try:
        ends = [float(one) if one.strip() else None for one in (low, high)]
    except ValueError:
        return None
    if not dots:
        return None if ends[0] is None else ScoreRange(scorer, ends[0], ends[0])
    return ScoreRange(scorer, ends[0], ends[1])


def _one(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _without(values: Sequence[Any], one: Any) -> tuple[Any, ...]:
    return tuple(value for value in values if value != one)


def _fails(work: Callable[[], Any]) -> bool:
    try:
        work()
    except RegradeError:
        return True
    return False


def _miss(wanted: Wanted, head: str, drop: str, *, nothing: bool = True) -> None:
    wanted.notices.append(NoticeView(head, "So 0 samples fit.", links=(LinkView("drop this filter", drop),)))
    wanted.nothing = wanted.nothing or nothing


def _note(wanted: Wanted, head: str, drop: str, text: str = "It is left out.") -> None:
    wanted.notices.append(NoticeView(head, text, links=(LinkView("drop it from the address", drop),)))
