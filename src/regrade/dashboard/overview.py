"""The overview: evals by models, and what needs a look."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from regrade.addresses import GatesAddress, OverviewAddress, RunAddress
from regrade.dashboard.exports import Export
from regrade.dashboard.framing import no_runs_notice
from regrade.dashboard.matrix import Matrix, gather
from regrade.dashboard.page import Asked, Page, Shown
from regrade.dashboard.running import goes_on
from regrade.dashboard.runs import glance
from regrade.dashboard.site import Site
from regrade.dashboard.watching import RunState
from regrade.pages.overview import Choices, overview_page
from regrade.report.attention import EndedRun, attention, needs
from regrade.report.manifest import resume_command
from regrade.report.overview import RowFacts, Totals, column, overview_row
from regrade.report.progress import progress_view
from regrade.report.recorded import GRAVEST_FIRST
from regrade.report.times import ago, parse_time
from regrade.store import RunEntry
from regrade.types import JsonObject
from regrade.views import LinkView, NoticeView, OverviewView, RunningView

__all__ = ["PAGES", "show"]

_MOST_COLUMNS = 8
_MOST_ATTENTION = 8
_MOST_RUNNING = 4
_PATIENCE_S = 120.0
_SIGNS = {"FAIL": 100, "INCONCLUSIVE": 101}


def show(site: Site, asked: Asked[OverviewAddress]) -> Shown:
    """Return the matrix; what is saved or exported waits for the changes that are still computed."""
    found = gather(site, asked.address)
    if asked.form and _is_pending(found) and site.changes.settle(_PATIENCE_S):
        found = gather(site, asked.address)
    rows = _sorted(found.rows, asked.address.sort)
    models, said = _columns(found, asked.address)
    view = _view(site, found, rows, (models, said), asked.address)
    choices = Choices(
        address=asked.address,
        tags=tuple(sorted({tag for run in site.index.runs() for tag in run.tags})),
        models=tuple(found.models),
        baselines=tuple(site.baselines.names(site.index.folders)),
    )
    return Shown(
        "Overview",
        partial(overview_page, view=view, choices=choices),
        Export.of("overview", _records(rows, models), _COLUMNS),
        notices=_notices(site, found, asked.address),
    )


def _sorted(rows: Sequence[RowFacts], sort: str) -> list[RowFacts]:
    named = sorted(rows, key=lambda row: (row.eval.casefold(), row.prompt))
    if sort == "name":
        return named
    if sort == "-newest":
        return sorted(named, key=lambda row: row.run, reverse=True)
    return sorted(named, key=needs, reverse=True)


def _columns(found: Matrix, address: OverviewAddress) -> tuple[list[str], str]:
    """Return the models that are shown, and what to say where that is not all."""
    if address.model:
        chosen = [one for one in found.models if one in address.model]
        return chosen, f"{len(chosen)} of {len(found.models)} models"
    if len(found.models) <= _MOST_COLUMNS:
        return list(found.models), ""
    evals = Counter(model for row in found.rows for model in row.arms)
    most = sorted(found.models, key=lambda model: -evals[model])[:_MOST_COLUMNS]
    said = f"{_MOST_COLUMNS} of {len(found.models)} models, those on most evals"
    return [one for one in found.models if one in most], said


def _view(
    site: Site,
    found: Matrix,
    rows: Sequence[RowFacts],
    columns: tuple[list[str], str],
    address: OverviewAddress,
) -> OverviewView:
    models, said = columns
    now = site.now()
    shown = tuple(overview_row(row, models, now) for row in rows)
    newest = parse_time(found.runs[0].started_at) if found.runs else None
    totals = Totals(len({row.eval for row in rows}), len(found.models), len(found.runs), newest)
    items = attention(rows, found.baseline, now, [_ended(*one) for one in found.ended])
    evals = list({row.eval: row for row in rows}.values())
    counts = Counter(outcome for row in evals if (outcome := row.outcome))
    gates = tuple((one, counts[one]) for one in GRAVEST_FIRST if counts[one])
    running = [run for run in found.runs if goes_on(run, now)][:_MOST_RUNNING]
    return OverviewView(
        facts=totals.said(now),
        baseline=found.baseline,
        attention=tuple(items[:_MOST_ATTENTION]),
        more_attention=max(0, len(items) - _MOST_ATTENTION),
        calm=_calm(found),
        gates=gates,
        not_gated=sum(row.gate is not None and row.outcome is None for row in evals),
        gate_said=_gate_said(found),
        gates_href=GatesAddress().url(),
        running=tuple(_running(run, site) for run in running),
        rows=shown,
        models=tuple(column(one, rows, shown, address) for one in models),
        columns_said=said,
        all_columns=LinkView("all models", address.url(model=tuple(found.models))) if said else None,
        is_pending=_is_pending(found),
    )


def _ended(run: RunEntry, state: RunState) -> EndedRun:
    command = "" if run.parent else resume_command(run.id, str(run.results))
    return EndedRun(run.id, run.evals, state, run.message, command)


def _is_pending(found: Matrix) -> bool:
    return any(one.pending for row in found.rows for arm in row.arms.values() for one in arm.since)


def _calm(found: Matrix) -> str:
    if found.baseline:
        return f"Nothing became worse beyond chance since {found.baseline}."
    if any(arm.since for row in found.rows for arm in row.arms.values()):
        return "Nothing became worse beyond chance since the last runs."
    return "There is nothing yet that these values could be compared with."


def _gate_said(found: Matrix) -> str:
    """Return what the gates say together that the newest values were put through."""
    codes = {row.gate.exit_code for row in found.rows if row.gate is not None and row.outcome}
    if not codes:
        return ""
    outcome, code = next(((one, code) for one, code in _SIGNS.items() if code in codes), ("PASS", 0))
    whole = "Those gated" if any(row.gate and not row.outcome for row in found.rows) else "As a whole"
    return f"{whole}: {outcome}, exit code {code}."


def _running(run: RunEntry, site: Site) -> RunningView:
    planned = sum(run.planned.values())
    progress = glance(site, run).progress
    said = f"began {ago(parse_time(run.started_at), site.now())}"
    return RunningView(
        run=run.id,
        href=RunAddress(run.id).url(),
        evals=", ".join(run.evals),
        models=", ".join(run.models),
        said=f"{said}; {planned:,} requests planned" if planned else said,
        progress=None if progress is None else progress_view(progress),
    )


def _notices(site: Site, found: Matrix, address: OverviewAddress) -> list[NoticeView]:
    """Return what stands in the place of rows where there are none, or no earlier values."""
    every = site.index.runs()
    if not every:
        return [no_runs_notice(site)]
    if not found.rows:
        return [_nothing_fits(site, address)]
    if len(every) == 1:
        text = "With a baseline, or a second run, changes are shown beside the values."
        can_be_one = every[0].status == "success"
        command = "regrade baseline set main latest" if can_be_one else "regrade run evals"
        return [NoticeView("One run, nothing to compare with", text, command)]
    return []


def _nothing_fits(site: Site, address: OverviewAddress) -> NoticeView:
    """Return the notice that names the filter to drop."""
    links = []
    for name in ("eval", "tag", "since"):
        dropped = address.without(name)
        if dropped != address and (there := gather(site, dropped).rows):
            links.append(LinkView(f"Without {name} = {getattr(address, name)}: {len(there)}", dropped.url()))
    if address == OverviewAddress():
        return NoticeView("No run has results yet", "Runs that are going on, or ended early, hold none.")
    links.append(LinkView("Clear all", OverviewAddress().url()))
    return NoticeView("No eval fits these filters", links=tuple(links))


_COLUMNS = (
    *("eval", "prompt", "model", "run", "started_at", "scorer", "metric", "better", "value", "low", "high"),
    *("level", "n", "n_failed", "rank", "tied", "gate"),
    *(f"{since}_{name}" for since in ("base", "last") for name in ("reference", "difference", "low", "high")),
    *(f"{since}_{name}" for since in ("base", "last") for name in ("p", "p_adjusted")),
)


def _records(rows: Sequence[RowFacts], models: Sequence[str]) -> list[JsonObject]:
    """Return a record for every model of every eval that is shown."""
    records = []
    for row in rows:
        scorer, metric = row.metric()
        for model in models:
            arm = row.arms.get(model)
            if arm is None:
                continue
            value, rate = arm.main((scorer, metric)), arm.request("failure_rate")
            record: JsonObject = {
                "eval": row.eval,
                "prompt": row.prompt,
                "model": model,
                "run": arm.run,
                "started_at": arm.began.isoformat() if arm.began else None,
                "scorer": scorer,
                "metric": metric,
                "n_failed": rate.n_failed if rate else None,
                "rank": arm.rank,
                "tied": arm.tied if arm.rank else None,
                "gate": row.gate.outcome if row.gate and row.judges(arm.run, model) else None,
            }
            for name in ("better", "value", "low", "high", "level", "n"):
                record[name] = getattr(value, name) if value else None
            for one in arm.since:
                record[f"{one.name}_reference"] = one.reference
                for name in ("difference", "low", "high", "p", "p_adjusted"):
                    record[f"{one.name}_{name}"] = getattr(one.change, name) if one.change else None
            records.append(record)
    return records


PAGES = (Page(OverviewAddress, show, place="Overview", front=True),)
