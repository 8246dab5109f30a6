"""All models, or prompts, of a run against each other: paired tests from its own table, and agreement."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import partial

from regrade.addresses import CompareAddress, OverviewAddress, RunAddress
from regrade.comparisons import Change
from regrade.dashboard.changes import Pending
from regrade.dashboard.comparisons import Problem
from regrade.dashboard.exports import Export
from regrade.dashboard.page import Asked, Shown
from regrade.dashboard.references import Side
from regrade.dashboard.sides import choices_of, side_view
from regrade.dashboard.site import Site
from regrade.pages.compare import compare_page
from regrade.report.comparison import change_records
from regrade.report.differences import pair_views
from regrade.store import RunEntry
from regrade.store.sample_figures import PairAgreement
from regrade.types import JsonObject
from regrade.views import AgreementView, CompareView, LinkView, MatrixCell, NoticeView

__all__ = ["show_pairs"]

_PATIENCE_S = 600.0
_GLANCE_S = 0.3
_FEWEST = 3
_SHADES = 4


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
    matrix, pending = None, False
    if address.by == "model" and wanted:
        matrix = _matrix(site, asked, run, wanted[0])
        pending = matrix is not None and matrix.is_pending
    title = f"{'Prompts' if address.by == 'prompt' else 'Models'} of {run.id}"
    choices = choices_of(site, address)
    view = CompareView(
        title=title,
        sides=(side_view(site, side),),
        paragraph=_paragraph(main, shown_eval, address.by),
        differences=pair_views(main, partial(_pair_links, run=run.id, by=address.by)),
        matrix=matrix,
        command=f"regrade compare {run.id},{address.by}=A {run.id},{address.by}=B",
        is_pending=pending,
        is_whole_run=True,
    )
    choices = choices.offering(evals, [one.scorer for one in every if one.eval == shown_eval], shown_eval)
    notices = () if every else (_nothing(run, address.by),)
    export = Export.of("pairs", change_records(wanted), tuple(one.name for one in fields(Change)))
    crumbs = (LinkView("Overview", OverviewAddress().url()), LinkView(run.id, RunAddress(run.id).url()))
    draw = partial(compare_page, view=view, choices=choices)
    return Shown(title, draw, export, crumbs=crumbs, notices=notices)


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


def _paragraph(changes: Sequence[Change], name: str, by: str) -> str:
    """Return how many of the pairs are told apart."""
    if not changes:
        return ""
    tested = [one for one in changes if one.p is not None]
    shown = [one for one in tested if one.p_adjusted is not None and one.p_adjusted <= 0.05]  # noqa: PLR2004 - 5 %
    pairs = "1 pair" if len(tested) == 1 else f"{len(tested)} pairs"
    return (
        f"{name}: of {pairs} of {by}s, {len(shown)} differ beyond chance (paired tests, Holm over the pairs "
        "of a metric, 5 %). Pairs that are not told apart are not shown to be equal."
    )


def _pair_links(one: Change, run: str, by: str) -> tuple[LinkView, ...]:
    arms = [
        ",".join(
            [
                run,
                *([f"model={model}"] if by == "model" else [f"model={one.model_b}", f"prompt={prompt}"]),
                *([f"prompt={prompt}"] if by == "model" and prompt != "default" else []),
            ]
        )
        for model, prompt in ((one.model_a, one.prompt_a), (one.model_b, one.prompt_b))
    ]
    return (LinkView("flips", CompareAddress(arms[0], arms[1], by, one.eval).url()),)


def _matrix(site: Site, asked: Asked[CompareAddress], run: RunEntry, main: Change) -> AgreementView | None:
    """Return how often every two models said the same; None for two, whose comparison says it."""
    arguments = run.path, main.eval, main.scorer, main.prompt_b
    found = site.comparisons.agreement(*arguments)
    if isinstance(found, Pending) and site.comparisons.settle(_PATIENCE_S if asked.form else _GLANCE_S):
        found = site.comparisons.agreement(*arguments)
    prompt = "" if main.prompt_b == "default" else f", prompt {main.prompt_b}"
    title = f"{main.eval}{prompt}: {main.scorer}"
    means = "the same label, or both right or both wrong where there are none; whichever is right"
    if isinstance(found, Pending):
        return AgreementView(title, means, (), is_pending=True)
    if isinstance(found, Problem):
        return AgreementView(title, means, (), problem=found.message)
    models = [one for one in run.models if any(one in {pair.model_a, pair.model_b} for pair in found)]
    if len(models) < _FEWEST:
        return None
    by_pair = {frozenset((pair.model_a, pair.model_b)): pair for pair in found}
    rows = tuple(
        tuple(_cell(by_pair.get(frozenset((row, column))), run.id) for column in models[:place])
        for place, row in enumerate(models)
        if place
    )
    return AgreementView(title, means, tuple(models), rows)


def _cell(pair: PairAgreement | None, run: str) -> MatrixCell | None:
    if pair is None:
        return None
    href = CompareAddress(f"{run},model={pair.model_a}", f"{run},model={pair.model_b}", by="model").url()
    exact = f"{pair.model_a} and {pair.model_b}: {pair.same:.2%} of {pair.n:,} samples"
    shade = max(0, min(_SHADES, int((pair.same - 0.5) * 2 * (_SHADES + 1))))
    return MatrixCell(f"{pair.same * 100:.0f}", exact, shade, href)


def _nothing(run: RunEntry, by: str) -> NoticeView:
    if len(run.models) < 2 and by == "model":  # noqa: PLR2004 - a pair
        return NoticeView(f"{run.id} has one model", "There is nothing to compare it with in this run.")
    text = "It did not finish, or holds no more than one, or is of an older regrade."
    return NoticeView(f"{run.id} holds no pairs of {by}s", text, f"regrade score {run.id}")
