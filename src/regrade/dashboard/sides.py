"""What can stand on either side of a comparison, and what is said of it."""

from collections.abc import Iterator, Sequence

from regrade.addresses import CompareAddress, RunAddress, joined
from regrade.api.sources import ArmChoice
from regrade.comparisons import Comparison
from regrade.dashboard.references import Side, origin_of
from regrade.dashboard.site import Site
from regrade.errors import RegradeError
from regrade.pages.compare import Choices, Options
from regrade.report.times import ago, exact_time, parse_time
from regrade.store import RunEntry
from regrade.views import LinkView, SideView

__all__ = ["choices_of", "side_view"]

_MOST_RUNS = 200
_MOST_QUICK = 8
_HASH = 7
_LETTERS = "CDEFGH"


def side_view(site: Site, side: Side) -> SideView:
    """Return what is said of one side."""
    if side.run is not None:
        run = side.run
        facts = [exact_time(parse_time(run.started_at))]
        facts += [str(run.git["commit"])[:_HASH]] if run.git.get("commit") else []
        return SideView(side.text, RunAddress(run.id).url(), tuple(facts))
    header = side.baseline.header if side.baseline is not None else {}
    made = str(header.get("run", ""))
    there = origin_of(site, side) is not None
    return SideView(side.text, RunAddress(made).url() if there else "", (f"baseline of {made}",))


def choices_of(site: Site, address: CompareAddress, found: Comparison | None = None) -> Choices:
    """Return what the forms offer.

    Args:
        site: The results folders.
        address: What is chosen.
        found: The comparison that it means, which tells what it holds.
    """
    runs = site.index.runs()[:_MOST_RUNS]
    one = _run_of(runs, address.a)
    several = one is not None and len(one.models) > 1
    if address.by == "run" or one is None:
        sides = _references(site, runs)
        own = (sides, sides)
    else:
        arms = _arms(one, address.by, found)
        whole = Options(f"All {address.by}s of a run", tuple((run.id, _told(site, run)) for run in runs))
        own = ((*arms, whole), arms)
    changes = found.changes if found is not None else ()
    return Choices(
        address=address,
        a=_with(own[0], address.a),
        b=_with(own[1], address.b),
        more=tuple(_more(address)),
        evals=tuple(dict.fromkeys(change.eval for change in changes)),
        models=tuple(dict.fromkeys(change.model_b for change in changes)),
        scorers=tuple(dict.fromkeys(change.scorer for change in changes if change.scorer)),
        swap=address.url(a=address.b, b=address.a) if address.a and address.b and not address.c else "",
        quick=tuple(_quick(site, runs)) if not (address.a and address.b) else (),
        models_href=CompareAddress(one.id, by="model").url() if one is not None and several else "",
    )


def _more(address: CompareAddress) -> Iterator[tuple[str, str]]:
    """Yield letter and choice of each side beside A and B, then an empty one while there is room."""
    others = address.sides[2:]
    if address.a and address.b:
        yield from zip(_LETTERS, (*others, ""), strict=False)


def _quick(site: Site, runs: Sequence[RunEntry]) -> Iterator[tuple[str, tuple[LinkView, ...]]]:
    """Yield the newest runs, each with links: against the usual baseline, the run before, its models."""
    for place, run in enumerate(runs[:_MOST_QUICK]):
        usual = site.baselines.fitting(run.results, run.evals, run.id)
        links = []
        if usual is not None:
            links.append(LinkView(f"against {usual.name}", CompareAddress(usual.name, run.id).url()))
        before = next((one for one in runs[place + 1 :] if set(one.evals) & set(run.evals)), None)
        if before is not None:
            links.append(LinkView("against the run before", CompareAddress(before.id, run.id).url()))
        if len(run.models) > 1:
            links.append(LinkView("its models", CompareAddress(run.id, by="model").url()))
        yield _told(site, run), tuple(links)


def _run_of(runs: Sequence[RunEntry], text: str) -> RunEntry | None:
    try:
        name = ArmChoice.parse(text).reference if text else ""
    except RegradeError:
        return None
    return next((run for run in runs if run.id == name), None)


def _references(site: Site, runs: Sequence[RunEntry]) -> tuple[Options, ...]:
    names = site.baselines.names(site.index.folders)
    return (
        *([Options("Baselines", tuple((name, name) for name in names))] if names else []),
        Options("Runs, newest first", tuple((run.id, _told(site, run)) for run in runs)),
    )


def _arms(run: RunEntry, by: str, found: Comparison | None) -> tuple[Options, ...]:
    names: Sequence[str] = run.models
    if by == "prompt":
        prompts = {name for shape in run.shapes.values() for name in shape.prompts}
        prompts |= {name for one in (found.changes if found else ()) for name in (one.prompt_a, one.prompt_b)}
        names = sorted(prompts)
    arms = tuple((joined([run.id, f"{by}={name}"]), name) for name in names)
    return (Options(f"{by.capitalize()}s of {run.id}", arms),)


def _told(site: Site, run: RunEntry) -> str:
    parts = [run.id, ago(parse_time(run.started_at), site.now()), ", ".join(run.evals[:3])]
    parts += [run.status] if run.status != "success" else []
    return " · ".join(parts)


def _with(options: tuple[Options, ...], chosen: str) -> tuple[Options, ...]:
    """Return the options with what is chosen, which may be older than all that are offered."""
    if not chosen or any(value == chosen for group in options for value, _ in group.values):
        return options
    return (Options("Chosen", ((chosen, chosen),)), *options)
