"""What a text of an address means: a run or baseline of the results folders, never any other path."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regrade.api.sources import ArmChoice
from regrade.dashboard.page import NotFoundError
from regrade.dashboard.site import Site
from regrade.errors import RegradeError, did_you_mean
from regrade.store import BaselineFile, RunEntry, find_run

__all__ = ["Side", "origin_of", "side_of", "sides_of"]

_RECENT = ("latest", "previous")


@dataclass(frozen=True, slots=True)
class Side:
    """A run or baseline, and which of its arms.

    Attributes:
        name: Of the run or baseline.
        choice: Its arms.
        run: The run; None for a baseline.
        baseline: The baseline; None for a run.
    """

    name: str
    choice: ArmChoice
    run: RunEntry | None = None
    baseline: BaselineFile | None = None

    @property
    def path(self) -> Path:
        """Return the run's folder, or the baseline's file."""
        if self.run is not None:
            return self.run.path
        assert self.baseline is not None
        return self.baseline.path

    @property
    def located(self) -> ArmChoice:
        """Return the same by its path."""
        return ArmChoice(str(self.path), self.choice.model, self.choice.prompt)

    @property
    def text(self) -> str:
        """Return how people write it, by its whole name."""
        return self.choice.text(self.name)


def side_of(site: Site, text: str, beside: Side | None = None) -> Side:
    """Return what a text means: a baseline's name, a run's id or the beginning of one, latest, previous.

    Args:
        site: The results folders.
        text: With `,model=x` and `,prompt=p` for arms, as `regrade compare` takes it.
        beside: The other side; a baseline of its results folder goes before one of another.

    Raises:
        NotFoundError: When it means nothing, or several runs.
        StoreError: When it is a run that cannot be read.
    """
    try:
        choice = ArmChoice.parse(text)
    except RegradeError as error:
        raise NotFoundError(error.message, hint=error.hint) from error
    near = beside.run.results if beside is not None and beside.run is not None else None
    folders = sorted(site.index.folders, key=lambda folder: folder != near)
    for folder in folders:
        baseline = site.baselines.find(folder, choice.reference)
        if baseline is not None:
            return Side(baseline.name, choice, baseline=baseline)
    run = _run(site, choice.reference)
    return Side(run.id, choice, run=run)


def sides_of(site: Site, texts: Sequence[str]) -> list[Side]:
    """Return what several texts mean, a baseline of the first run's results folder before one of another.

    Args:
        site: The results folders.
        texts: As for `side_of`.

    Raises:
        NotFoundError: As for `side_of`.
    """
    found = [side_of(site, text) for text in texts]
    near = next((one for one in found if one.run is not None), None)
    return [side_of(site, one.text, near) for one in found]


def origin_of(site: Site, side: Side) -> RunEntry | None:
    """Return the run that holds the answers of a side: of a baseline the one that it was set from, if here.

    Args:
        site: The results folders.
        side: A run or baseline.
    """
    if side.baseline is None:
        return side.run
    near = side.path.parent.parent.absolute()
    made = [one for one in site.index.runs() if one.id == side.baseline.header.get("run")]
    return min(made, key=lambda run: run.results.absolute() != near, default=None)


def _run(site: Site, reference: str) -> RunEntry:
    ids = [one.id for one in site.index.runs()]
    if reference in _RECENT:
        return site.index.find(_recent(site, reference))
    if reference not in ids and any(one.path.name == reference for one in site.index.problems()):
        return site.index.find(reference)  # which says why it cannot be read
    fitting = [one for one in dict.fromkeys(ids) if one.startswith(reference)]
    if reference in ids or len(fitting) == 1:
        return site.index.find(reference if reference in ids else fitting[0])
    if fitting and reference:
        raise NotFoundError(f'"{reference}" fits {len(fitting)} runs', hint=", ".join(fitting[:5]))
    known = [*site.baselines.names(site.index.folders), *ids]
    where = ", ".join(map(str, site.index.folders))
    raise NotFoundError(f'no run or baseline "{reference}" in {where}', hint=did_you_mean(reference, known))


def _recent(site: Site, reference: str) -> str:
    """Return the id of the newest success, or of the success before it over the same evals."""
    problem: RegradeError | None = None
    found = []
    for folder in site.index.folders:
        try:
            found.append(find_run(folder, reference).id)
        except RegradeError as error:
            problem = error
    if not found:
        said = problem.message if problem else f'no run "{reference}"'
        raise NotFoundError(said, hint=problem.hint if problem else None)
    return max(found)
