"""All models, or prompts, of a run against each other: paired tests from its own table, and agreement."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from typing import Any

from regrade.addresses import CompareAddress, OverviewAddress, RunAddress, joined
from regrade.comparisons import Change
from regrade.dashboard.changes import Pending
from regrade.dashboard.compare_tables import Tables, at_once, export_links, export_of
from regrade.dashboard.comparisons import Problem
from regrade.dashboard.page import Asked, Shown
from regrade.dashboard.references import Side
from regrade.dashboard.several import RANK_COLUMNS, grouped
from regrade.dashboard.sides import choices_of, side_view
from regrade.dashboard.site import Site
from regrade.pages.compare import compare_page
from regrade.report.agreeing import MEANS, Same, matrix_view
from regrade.report.comparison import change_records
from regrade.report.differences import pair_views
from regrade.report.ranks import between, rank_records, ranks_view, tested_paragraph
from regrade.store import RunEntry
from regrade.store.sample_figures import PairAgreement
from regrade.types import JsonObject
from regrade.views import AgreementView, CompareView, LinkView, NoticeView

__all__ = ["no_pairs", "show_pairs"]

_PATIENCE_S = 600.0
_GLANCE_S = 0.3


def show_pairs(site: Site, asked: Asked[CompareAddress], side: Side, run: RunEntry) -> Shown:
    """Return the page of a run's models or prompts.

    Args:
        site: The results folders.
        asked: Which of them.
        side: What the address names: the run, and perhaps one arm that is to be in every pair.
        run: The run.
    """
    address = asked.address
    every = _pairs(site.index.comparisons(run), address.by, run.id)
    evals = list(dict.fromkeys(one.eval for one in every))
    shown_eval = address.eval if address.eval in evals else next(iter(evals), "")
    mine = [one for one in every if one.eval == shown_eval and _has(one, address, side)]
    wanted = [one for one in mine if address.scorer in {"", one.scorer}]
    main = [one for one in wanted if address.scorer or one.metric == wanted[0].metric]
    same = _agreement(site, asked, run, wanted[0]) if address.by == "model" and wanted else ()
    matrix = _matrix(run, wanted[0], same) if same else None
    names = {name: name for one in main for name in between(one, address.by)}
    grouping = partial(grouped, key=lambda one: (one.scorer, one.metric, _same(one, address.by)))
    some = bool(address.model or side.choice.selected)  # a rank rests on all pairs
    ranked = [] if some else list(grouping(main))
    tables = _tables(wanted, ranked, (address.by, names), same)
    shared = _shared(ranked, address.by)
    title = f"{'Prompts' if address.by == 'prompt' else 'Models'} of {run.id}"
    choices = choices_of(site, address)
    view = CompareView(
        title=title,
        sides=(side_view(site, side),),
        paragraph=tested_paragraph(main, shown_eval, address.by),
        differences=pair_views(main, partial(_pair_links, run=run.id, by=address.by)),
        ranks=tuple(ranks_view(one, address.by, names, shared(one[0])) for one in ranked),
        matrices=() if matrix is None else (matrix,),
        exports=export_links(address, tables),
        is_pending=matrix is not None and matrix.is_pending,
        is_several=True,
    )
    choices = choices.offering(evals, [one.scorer for one in every if one.eval == shown_eval], shown_eval)
    notices = () if every else (_nothing(site, run, address.by),)
    crumbs = (LinkView("Overview", OverviewAddress().url()), LinkView(run.id, RunAddress(run.id).url()))
    draw = partial(compare_page, view=view, choices=choices)
    return Shown(title, draw, export_of(address, tables), crumbs=crumbs, notices=notices)


def _same(one: Change, by: str) -> str:
    """Return the prompt, or model, that both of a pair share."""
    return one.prompt_b if by == "model" else one.model_b


def _shared(ranked: Sequence[list[Change]], by: str) -> Callable[[Change], str]:
    """Return what tells tables of ranks apart: the prompt, or model, of each, where there are several."""
    several = len({_same(one[0], by) for one in ranked}) > 1
    kind = "prompt" if by == "model" else "model"
    return lambda one: f"{kind} {_same(one, by)}" if several else ""


def _tables(
    wanted: Sequence[Change],
    main: Iterable[list[Change]],
    by: tuple[str, Mapping[str, str]],
    same: tuple[PairAgreement, ...] | Problem | Pending,
) -> Tables:
    """Return what can be had as a file."""

    def ranks() -> list[JsonObject]:
        return [
            {**one, "group": _same(group[0], by[0])} for group in main for one in rank_records(group, *by)
        ]

    found: dict[str, Any] = {
        "changes": ([one.name for one in fields(Change)], at_once(lambda: change_records(wanted))),
        "ranks": (RANK_COLUMNS, at_once(ranks)),
    }
    if isinstance(same, tuple) and same:
        of = {"eval": wanted[0].eval, "scorer": wanted[0].scorer}
        columns = (*of, *(one.name for one in fields(PairAgreement)))
        found["agreement"] = columns, at_once(lambda: [{**of, **asdict(one)} for one in same])
    return found


def _pairs(rows: Iterable[JsonObject], by: str, run: str) -> list[Change]:
    """Return the pairs that differ in what is asked for alone, requests left out."""
    names = {one.name for one in fields(Change)}
    both = {"run_a": run, "run_b": run}
    found = [
        Change(**{name: value for name, value in {**both, **row}.items() if name in names}) for row in rows
    ]
    same, other = ("prompt", "model") if by == "model" else ("model", "prompt")
    return [
        one
        for one in found
        if one.scorer
        and getattr(one, f"{same}_a") == getattr(one, f"{same}_b")
        and getattr(one, f"{other}_a") != getattr(one, f"{other}_b")
    ]


def _has(one: Change, address: CompareAddress, side: Side) -> bool:
    model = address.model or side.choice.model or ""
    prompt = side.choice.prompt or ""
    return model in {"", one.model_a, one.model_b} and prompt in {"", one.prompt_a, one.prompt_b}


def _pair_links(one: Change, run: str, by: str) -> tuple[LinkView, ...]:
    arms = [
        joined(
            [
                run,
                *([f"model={model}"] if by == "model" else [f"model={one.model_b}", f"prompt={prompt}"]),
                *([f"prompt={prompt}"] if by == "model" and prompt != "default" else []),
            ]
        )
        for model, prompt in ((one.model_a, one.prompt_a), (one.model_b, one.prompt_b))
    ]
    return (LinkView("flips", CompareAddress(arms[0], arms[1], by=by, eval=one.eval).url()),)


def _agreement(
    site: Site, asked: Asked[CompareAddress], run: RunEntry, main: Change
) -> tuple[PairAgreement, ...] | Problem | Pending:
    """Return how often every two models said the same."""
    arguments = run.path, main.eval, main.scorer, main.prompt_b
    found = site.comparisons.agreement(*arguments)
    if isinstance(found, Pending) and site.comparisons.settle(_PATIENCE_S if asked.form else _GLANCE_S):
        found = site.comparisons.agreement(*arguments)
    return found


def _matrix(
    run: RunEntry, main: Change, found: tuple[PairAgreement, ...] | Problem | Pending
) -> AgreementView | None:
    """Return the matrix; None for two models, whose comparison says it."""
    prompt = "" if main.prompt_b == "default" else f", prompt {main.prompt_b}"
    title = f"{main.eval}{prompt}: {main.scorer}"
    if isinstance(found, Pending):
        return AgreementView(title, MEANS, (), is_pending=True)
    if isinstance(found, Problem):
        return AgreementView(title, MEANS, (), problem=found.message)
    by_pair = {frozenset((pair.model_a, pair.model_b)): Same(pair.n, pair.same) for pair in found}

    def href(a: str, b: str) -> str:
        return CompareAddress(
            joined([run.id, f"model={a}"]), joined([run.id, f"model={b}"]), by="model"
        ).url()

    return matrix_view(title, run.models, by_pair, href)


def no_pairs(site: Site, run: RunEntry, by: str) -> NoticeView | None:
    """Return why a run holds no pairs, and what helps; None where it holds some.

    Args:
        site: The results folders.
        run: The run.
        by: "model" or "prompt".
    """
    return None if _pairs(site.index.comparisons(run), by, run.id) else _nothing(site, run, by)


def _nothing(site: Site, run: RunEntry, by: str) -> NoticeView:
    names = set(run.models) if by == "model" else {one.prompt for one in site.index.summary(run)}
    if len(names) == 1:
        return NoticeView(f"{run.id} has one {by}", "There is nothing to compare it with in this run.")
    text = "It did not finish, or holds no more than one, or is of an older regrade."
    return NoticeView(f"{run.id} holds no pairs of {by}s", text, f"regrade score {run.id}")
