"""The page of all runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from regrade.addresses import CompareAddress, RunsAddress
from regrade.pages.frame import Frame, page
from regrade.pages.names import wrapped
from regrade.pages.progress import bar
from regrade.views import RunRow, RunsView

__all__ = ["RunChoices", "runs_page"]

_SPANS = {"any": "any time", "1d": "1 day", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
_STATES = {
    "any": "any",
    "running": "running",
    "stopped": "stopped",
    "success": "finished",
    "partial": "partial",
    "interrupted": "interrupted",
    "error": "error",
}
_NAMES = 3


@dataclass(frozen=True, slots=True)
class RunChoices:
    """What the filters offer.

    Attributes:
        address: Of the page.
        evals: Of all runs.
        models: Of all runs.
        tags: Of all runs.
    """

    address: RunsAddress
    evals: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Return whether any of them is used."""
        return self.address.without("after") != RunsAddress()


def runs_page(frame: Frame, view: RunsView, choices: RunChoices) -> str:
    """Return the page."""
    return page(
        "runs.html.j2",
        frame,
        view=view,
        choices=choices,
        spans=_SPANS,
        states=_STATES,
        wrapped=wrapped,
        bar=bar,
        few=_few,
        first=_first,
        compare=CompareAddress.PATH,
    )


def _first(rows: Sequence[RunRow]) -> Sequence[RunRow]:
    """Return what is chosen to begin with: of two runs that share an eval the newest, behind the older."""
    for place, newer in enumerate(rows):
        for older in rows[place + 1 :]:
            if not set(newer.evals).isdisjoint(older.evals):
                return older, newer
    return rows[1::-1]


def _few(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return the first names, and what to say of the others."""
    more = len(names) - _NAMES
    return names[:_NAMES], f"and {more} more" if more > 0 else ""
