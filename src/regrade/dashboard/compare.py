"""Two runs, models or prompts against each other, and all models of a run; what is to be chosen for that."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from typing import Any

from regrade.addresses import CompareAddress, GatesAddress, OverviewAddress, SamplesAddress
from regrade.comparisons import Agreement, Change, Comparison
from regrade.dashboard.changes import Pending
from regrade.dashboard.compare_tables import Tables, at_once, export_links, export_of
from regrade.dashboard.comparisons import Problem
from regrade.dashboard.flipping import FLIP_COLUMNS, Chosen, FlipReader, flips_page
from regrade.dashboard.framing import no_runs_notice
from regrade.dashboard.gates import gates_of
from regrade.dashboard.page import Asked, NotFoundError, Page, Redirect, Shown
from regrade.dashboard.pairs import show_pairs
from regrade.dashboard.references import Side, side_of, sides_of
from regrade.dashboard.several import MOST, show_several
from regrade.dashboard.sides import choices_of, side_view
from regrade.dashboard.site import Site
from regrade.errors import UsageError
from regrade.pages.compare import Choices, compare_page
from regrade.report.comparison import agreement_table, change_records, comparison_document, lead_records
from regrade.report.differences import difference_views, lead_views, resource_views
from regrade.texts import clipped
from regrade.views import CompareView, GateNote, LinkView, NoticeView, SideView

__all__ = ["PAGES", "show"]

_PATIENCE_S = 600.0
_GLANCE_S = 0.3
_FLIPS = 20
_SAVED_FLIPS = 200
_MOST_ROWS = 300
_SAID = 1_000
_KINDS = ("lost", "gained", "failed", "answered", "flaky")
_CRUMBS = (LinkView("Overview", OverviewAddress().url()),)


def show(site: Site, asked: Asked[CompareAddress]) -> Shown | Redirect:
    """Return the comparison that the address asks for, or what there is to be chosen."""
    address = asked.address
    if len(address.sides) > 2 or address.c:  # noqa: PLR2004 - two have a page of their own
        return _of_several(site, asked)
    try:
        b = side_of(site, address.b) if address.b else None
        a = side_of(site, address.a, b) if address.a else None
    except UsageError as error:
        notice = NoticeView("There is no such run", error.message, error.hint or "", "unsure")
        return _choosing(site, address, notice)
    plain = address.url(a=a.text if a else "", b=b.text if b else "")
    if plain != address.url():
        return Redirect(f"{plain}&format={asked.form}" if asked.form else plain)
    if address.by != "run" and b is not None and not (b.choice.selected or (a and a.choice.selected)):
        return Redirect(address.url(a=b.text, b="", after=0))  # what differs between two runs are not models
    if a is not None and b is None and address.by != "run":
        if a.run is not None:
            return show_pairs(site, asked, a, a.run)
        text = "Its models are compared in the run that it was made of."
        notice = NoticeView(f"{a.name} is a baseline", text)
        return _choosing(site, address, notice)
    if a is None or b is None:
        return _choosing(site, address)
    return _compared(site, asked, a, b)


def _of_several(site: Site, asked: Asked[CompareAddress]) -> Shown | Redirect:
    """Return the page of more than two, by their whole names, each of them once."""
    address = asked.address
    try:
        sides = sides_of(site, address.sides)
    except UsageError as error:
        notice = NoticeView("There is no such run", error.message, error.hint or "", "unsure")
        return _choosing(site, address, notice)
    plain = address.among(list(dict.fromkeys(one.text for one in sides))).url()
    if plain != address.url():
        return Redirect(f"{plain}&format={asked.form}" if asked.form else plain)
    if len(sides) > MOST:
        text = "Leave some of them out; all models of a run have a page of their own."
        notice = NoticeView(f"{len(sides)} are too many: {MOST} can be held against each other", text)
        return _choosing(site, address, notice)
    return show_several(site, asked, sides)


def _choosing(site: Site, address: CompareAddress, *notices: NoticeView) -> Shown:
    """Return the page without a comparison: its forms."""
    choices = choices_of(site, address)
    if not site.index.runs():
        notices = (no_runs_notice(site), *notices)
    view = CompareView("Compare")
    return Shown("Compare", partial(compare_page, view=view, choices=choices), notices=notices)


def _compared(site: Site, asked: Asked[CompareAddress], a: Side, b: Side) -> Shown:
    found = site.comparisons.between(a.located, b.located)
    if isinstance(found, Pending) and site.comparisons.settle(_PATIENCE_S if asked.form else _GLANCE_S):
        found = site.comparisons.between(a.located, b.located)
    choices = choices_of(site, asked.address, found if isinstance(found, Comparison) else None)
    if isinstance(found, Problem):
        return _refused(site, choices, a, b, found)
    if isinstance(found, Comparison):
        shown = _drawn(site, asked, (a, b), found, choices)
        if shown is not None:
            return shown
    if asked.form:
        raise NotFoundError("this comparison is not computed yet", hint="ask again in some seconds")
    view = CompareView(_title(a, b), _sides(site, a, b), command=_command(a, b), is_pending=True)
    return Shown(_title(a, b), partial(compare_page, view=view, choices=choices), crumbs=_CRUMBS)


def _refused(site: Site, choices: Choices, a: Side, b: Side, problem: Problem) -> Shown:
    head = f"{a.text} and {b.text} are not compared"
    said = ". ".join(one for one in (problem.message, problem.hint) if one)
    notice = NoticeView(head, f"{said}.", _command(a, b), "unsure")
    view = CompareView(_title(a, b), _sides(site, a, b), problem=notice)
    return Shown(_title(a, b), partial(compare_page, view=view, choices=choices), crumbs=_CRUMBS)


def _drawn(
    site: Site, asked: Asked[CompareAddress], sides: tuple[Side, Side], found: Comparison, choices: Choices
) -> Shown | None:
    """Return the page of a comparison; None where its flips have to be computed anew."""
    address, (a, b) = asked.address, sides
    chosen = Chosen.of(found, address)
    reader = FlipReader(site, a, b)
    pages = []
    if chosen.groups and asked.form not in {"csv", "parquet", "json"}:
        saved = asked.form == "html"
        size, kinds = (_SAVED_FLIPS, _KINDS) if saved else (_FLIPS, (address.flips,))
        for kind in kinds:
            first = 0 if saved else min(address.after, max(0, chosen.listed(kind) - 1)) // size * size
            items = reader.items(chosen, kind, range(first, first + size))
            if items is None:
                return None
            pages.append(replace(flips_page(chosen, items, kind, first, size), notes=reader.notes))
    changes = tuple(_fitting(found.changes, address))
    document = comparison_document(found)
    tables = _tables(found, changes, (chosen, reader), address)
    view = CompareView(
        title=_title(a, b),
        sides=_sides(site, a, b),
        paragraph=document.paragraph,
        filtered=_filtered(found, changes, address),
        differences=difference_views(found, changes[:_MOST_ROWS], partial(_failed, sides=sides)),
        resources=resource_views(found, changes[:_MOST_ROWS]),
        agreements=tuple(agreement_table([one for one in found.agreements if _fits(one, address)])),
        leads=lead_views([one for one in found.leads if _fits(one.change, address)]),
        flips=tuple(pages),
        notes=found.notes,
        gate=_gate(site, a, b, address),
        command=_command(a, b),
        exports=export_links(address, tables),
    )
    draw = partial(compare_page, view=view, choices=choices)
    return Shown(_title(a, b), draw, export_of(address, tables), crumbs=_CRUMBS, links=_places(b))


def _tables(
    found: Comparison, changes: Sequence[Change], flips: tuple[Chosen, FlipReader], address: CompareAddress
) -> Tables:
    """Return what can be had as a file."""
    chosen, reader = flips
    leads = [one for one in found.leads if _fits(one.change, address)]
    agreements = [one for one in found.agreements if _fits(one, address)]
    own = [one.name for one in fields(Change)]
    tables: dict[str, Any] = {
        "changes": (own, at_once(lambda: change_records(changes))),
        "slices": ([*own, "q"], at_once(lambda: lead_records(leads))),
        "agreement": (
            [one.name for one in fields(Agreement)],
            at_once(lambda: [asdict(one) for one in agreements]),
        ),
        "flips": (FLIP_COLUMNS, partial(reader.records, chosen, _KINDS)),
    }
    there = {"changes": True, "slices": leads, "agreement": agreements, "flips": chosen.groups}
    return {name: table for name, table in tables.items() if there[name] or name == address.table}


def _gate(site: Site, a: Side, b: Side, address: CompareAddress) -> GateNote | None:
    """Return the newest verdict on record of just these two; None where they were put through no gate.

    A baseline that was set anew since is another one.
    """
    if b.run is None:
        return None
    kept = a.baseline.fingerprint if a.baseline is not None else ""
    gates = [
        gate
        for gate in gates_of(site, b.run)
        if (gate.baseline, gate.named) == (a.text, b.text) and gate.fingerprint in {"", kept}
    ]
    if not gates:
        return None
    gate = gates[-1]
    name = address.eval if address.eval in gate.evals else ""
    href = GatesAddress(eval=name, run=gate.run, nth=gate.nth).url()
    when = f", {gate.at:%d %b %Y, %H:%M} UTC" if gate.at is not None else ""
    outcome = gate.outcome_of(name)
    said = gate.paragraph if outcome == gate.outcome else f"Of {name}; the whole gate: {gate.outcome}."
    return GateNote(outcome, clipped(said, _SAID), LinkView(f"the gate{when}", href))


def _fits(one: Change | Agreement, address: CompareAddress) -> bool:
    return (
        address.eval in {"", one.eval}
        and address.model in {"", one.model_a, one.model_b}
        and (address.scorer in {"", one.scorer} or not one.scorer)
    )


def _fitting(changes: Sequence[Change], address: CompareAddress) -> Iterator[Change]:
    return (one for one in changes if _fits(one, address))


def _filtered(found: Comparison, changes: Sequence[Change], address: CompareAddress) -> str:
    """Return what to say where less is shown than was compared."""
    parts = []
    if len(changes) < len(found.changes):
        named = [text for text in (address.eval, address.model, address.scorer) if text]
        parts.append(f"Only {', '.join(named)} is shown; p is adjusted over the whole comparison.")
    if len(changes) > _MOST_ROWS:
        parts.append(f"The first {_MOST_ROWS} of {len(changes):,} rows are shown; choose an eval or a model.")
    return " ".join(parts)


def _failed(one: Change, sides: tuple[Side, Side]) -> tuple[LinkView, ...]:
    """Return where the samples are that a side has no value of."""
    missing = (
        (one.missing_a, sides[0], one.prompt_a, one.model_a, "A"),
        (one.missing_b, sides[1], one.prompt_b, one.model_b, "B"),
    )
    return tuple(
        LinkView(
            f"{count:,} without a value in {name}",
            SamplesAddress(
                side.run.id, eval=one.eval, prompt=prompt, model=(model,), outcome=("failure",)
            ).url(),
        )
        for count, side, prompt, model, name in missing
        if count and side.run is not None and one.difference is not None
    )


def _sides(site: Site, a: Side, b: Side) -> tuple[SideView, ...]:
    return side_view(site, a), side_view(site, b)


def _title(a: Side, b: Side) -> str:
    arms = [", ".join(one for one in (side.choice.model, side.choice.prompt) if one) for side in (a, b)]
    if a.name == b.name and all(arms):
        return f"{arms[1]} against {arms[0]}"
    return f"{b.text} against {a.text}"


def _command(a: Side, b: Side) -> str:
    return shlex.join(["regrade", "compare", a.text, b.text])


def _places(b: Side) -> dict[str, str]:
    """Return where the top bar leads from here: to the samples of the candidate."""
    return {} if b.run is None else {"Samples": SamplesAddress(b.run.id).url()}


PAGES = (Page(CompareAddress, show, place="Compare", front=True),)
