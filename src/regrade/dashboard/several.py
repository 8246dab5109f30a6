"""More than two runs, models or prompts, every two against each other: ranks, pairs, agreement."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from typing import TypeVar

from regrade.addresses import CompareAddress, OverviewAddress
from regrade.comparisons import Agreement, Change, Several
from regrade.dashboard.changes import Pending
from regrade.dashboard.compare_tables import Tables, at_once, export_links, export_of
from regrade.dashboard.comparisons import Problem
from regrade.dashboard.page import Asked, NotFoundError, Shown
from regrade.dashboard.references import Side
from regrade.dashboard.sides import choices_of, side_view
from regrade.dashboard.site import Site
from regrade.pages.compare import compare_page
from regrade.report.agreeing import Same, matrix_view
from regrade.report.comparison import change_records
from regrade.report.differences import pair_views
from regrade.report.ranks import rank_records, ranks_view, tested_paragraph
from regrade.types import JsonObject
from regrade.views import AgreementView, CompareView, LinkView, NoticeView, SideView

__all__ = ["MOST", "RANK_COLUMNS", "grouped", "show_several"]

MOST = 8
"""Sides of a page: 28 pairs, more than anybody reads."""

RANK_COLUMNS = ("eval", "scorer", "metric", "group", "side", "rank", "tied", "value")

_LETTERS = "ABCDEFGH"
_PATIENCE_S = 600.0
_GLANCE_S = 0.3
_CRUMBS = (LinkView("Overview", OverviewAddress().url()),)

EachT = TypeVar("EachT")


@dataclass(frozen=True, slots=True)
class _Named:
    """The sides and what they are called.

    Attributes:
        address: Of the page.
        sides: In order.
        kind: "model" or "prompt" of one run; else "run".
        short: What each is called in tables: its model or prompt, else its letter.
    """

    address: CompareAddress
    sides: Sequence[Side]
    kind: str
    short: tuple[str, ...]

    @classmethod
    def of(cls, address: CompareAddress, sides: Sequence[Side]) -> "_Named":
        if len({one.name for one in sides}) == 1:
            for name in ("model", "prompt"):
                arms = tuple(str(getattr(one.choice, name)) for one in sides)
                if len(set(arms)) == len(sides):
                    return cls(address, sides, name, arms)
        return cls(address, sides, "run", tuple(_LETTERS[: len(sides)]))

    @property
    def title(self) -> str:
        of = f" of {self.sides[0].name}" if self.kind != "run" else ""
        return f"{len(self.sides)} {self.kind}s{of} against each other"

    @property
    def whole(self) -> dict[str, str]:
        """Return by each short name one that says what it is."""
        told = (f"{one}, {side.text}" for one, side in zip(self.short, self.sides, strict=True))
        return dict(zip(self.short, told if self.kind == "run" else self.short, strict=True))

    def pair(self, a: str, b: str, eval_: str, model: str) -> str:
        """Return the page of two of them, by what they are called."""
        a, b = (self.sides[self.short.index(one)].text for one in (a, b))
        return CompareAddress(a, b, by=self.address.by, eval=eval_, model=model).url()


def show_several(site: Site, asked: Asked[CompareAddress], sides: Sequence[Side]) -> Shown:
    """Return the page of more than two sides.

    Args:
        site: The results folders.
        asked: What is shown of them.
        sides: In order, no more than `MOST`.
    """
    named = _Named.of(asked.address, sides)
    located = [one.located for one in sides]
    found = site.comparisons.among(located)
    if isinstance(found, Pending) and site.comparisons.settle(_PATIENCE_S if asked.form else _GLANCE_S):
        found = site.comparisons.among(located)
    if isinstance(found, Several):
        return _Drawing(site, named, found).shown()
    if isinstance(found, Pending) and asked.form:
        raise NotFoundError("this comparison is not computed yet", hint="ask again in some seconds")
    problem = None
    if isinstance(found, Problem):
        said = ". ".join(one for one in (found.message, found.hint) if one)
        problem = NoticeView("They are not compared", f"{said}.", kind="unsure")
    view = CompareView(
        named.title, _sides(site, named), problem=problem, is_pending=problem is None, is_several=True
    )
    draw = partial(compare_page, view=view, choices=choices_of(site, asked.address))
    return Shown(named.title, draw, crumbs=_CRUMBS)


def _sides(site: Site, named: _Named) -> tuple[SideView, ...]:
    texts = [one.text for one in named.sides]
    return tuple(
        replace(
            side_view(site, side),
            without=replace(
                named.address.among([*texts[:place], *texts[place + 1 :]]), after=0, table="changes"
            ).url(),
        )
        for place, side in enumerate(named.sides)
    )


class _Drawing:
    """What is shown of a comparison: one eval, and of its scorers one or the main metric of the first."""

    def __init__(self, site: Site, named: _Named, found: Several) -> None:
        self._site, self._named, self._found = site, named, found
        address = named.address
        self._names = dict(zip(found.sides, named.short, strict=True))
        self._evals = list(dict.fromkeys(one.eval for one in found.changes))
        self._eval = address.eval if address.eval in self._evals else next(iter(self._evals), "")
        self._own = [one for one in found.changes if one.eval == self._eval]
        self._several = len({_group(one) for one in self._own}) > 1
        self._wanted = [
            one for one in self._own if _is_of(one, address.model) and address.scorer in {"", one.scorer}
        ]
        main = [one for one in self._wanted if address.scorer or one.metric == self._wanted[0].metric]
        self._tables = list(grouped(main, lambda one: (_group(one), one.scorer, one.metric)))
        self._agreements = [
            one
            for one in found.agreements
            if one.eval == self._eval
            and _is_of(one, address.model)
            and self._wanted
            and one.scorer == self._wanted[0].scorer
        ]

    def shown(self) -> Shown:
        """Return the page."""
        named, tables = self._named, self._exported()
        main = [one for table in self._tables for one in table]
        whole = named.whole
        view = CompareView(
            title=named.title,
            sides=_sides(self._site, named),
            paragraph=tested_paragraph(main, self._eval, named.kind),
            differences=tuple(
                replace(view, title=self._titled(view.title, table[0]))
                for table in self._tables
                for view in pair_views(table, self._links, self._label)
            ),
            ranks=tuple(
                replace(
                    view,
                    title=self._titled(view.title, table[0]),
                    rows=tuple(replace(row, name=whole[row.name]) for row in view.rows),
                )
                for table in self._tables
                for view in [ranks_view(table, "run", self._names)]
            ),
            matrices=tuple(self._matrices()),
            notes=self._found.notes,
            exports=export_links(named.address, tables),
            is_several=True,
        )
        choices = choices_of(self._site, named.address).offering(
            self._evals,
            [one.scorer for one in self._own],
            self._eval,
            [one.model_b for one in self._own] if self._several else [],
        )
        draw = partial(compare_page, view=view, choices=choices)
        return Shown(named.title, draw, export_of(named.address, tables), crumbs=_CRUMBS)

    def _exported(self) -> Tables:
        """Return what can be had as a file."""

        def ranks() -> list[JsonObject]:
            return [
                {**record, "group": _told(table[0]) if self._several else ""}
                for table in self._tables
                for record in rank_records(table, "run", self._names)
            ]

        return {
            "changes": ([one.name for one in fields(Change)], at_once(lambda: change_records(self._wanted))),
            "ranks": (RANK_COLUMNS, at_once(ranks)),
            "agreement": (
                [one.name for one in fields(Agreement)],
                at_once(lambda: [asdict(one) for one in self._agreements]),
            ),
        }

    def _matrices(self) -> Iterable[AgreementView]:
        for group in grouped(self._agreements, _group):
            found = {
                frozenset((self._names[one.run_a], self._names[one.run_b])): Same(one.n, one.same)
                for one in group
            }
            href = partial(self._named.pair, eval_=self._eval, model=self._model(group[0]))
            title = self._titled(f"{self._eval}: {group[0].scorer}", group[0])
            matrix = matrix_view(title, self._named.short, found, href)
            yield from [matrix] if matrix is not None else []

    def _links(self, one: Change) -> tuple[LinkView, ...]:
        names = self._names[one.run_a], self._names[one.run_b]
        return (LinkView("flips", self._named.pair(*names, one.eval, self._model(one))),)

    def _model(self, one: Change | Agreement) -> str:
        """Return the model that a pair of runs shares, where there are several."""
        return one.model_b if self._several and one.model_a == one.model_b else ""

    def _label(self, one: Change) -> str:
        return f"{self._names[one.run_b]} against {self._names[one.run_a]}"

    def _titled(self, title: str, one: Change | Agreement) -> str:
        return f"{title}, {_told(one)}" if self._several else title


def _is_of(one: Change | Agreement, model: str) -> bool:
    """Return whether a pair is of a model; a filter never takes a side from those that are ranked."""
    return not model or _group(one)[0] in {"", model}


def _group(one: Change | Agreement) -> tuple[str, str]:
    """Return model and prompt of a pair that differs in its runs alone; else empty texts."""
    return (
        one.model_b if one.model_a == one.model_b else "",
        one.prompt_b if one.prompt_a == one.prompt_b else "",
    )


def _told(one: Change | Agreement) -> str:
    """Return what the two of a pair share: model and prompt, but for the prompt that has no name."""
    return ", ".join(name for name in _group(one) if name not in {"", "default"})


def grouped(every: Sequence[EachT], key: Callable[[EachT], Hashable]) -> Iterable[list[EachT]]:
    """Return what has the same key together, in the order in which keys come.

    Args:
        every: What is grouped.
        key: Of each.
    """
    found: dict[Hashable, list[EachT]] = {}
    for one in every:
        found.setdefault(key(one), []).append(one)
    return found.values()
