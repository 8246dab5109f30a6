"""The flips of a comparison, some at a time, each with both answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from regrade.addresses import CompareAddress, SamplesAddress, sample_ref
from regrade.api.comparing import flip_with_texts
from regrade.comparisons import ArmName, Comparison, Flip, Flips
from regrade.dashboard.comparisons import LISTED
from regrade.dashboard.references import Side, origin_of
from regrade.dashboard.site import Site
from regrade.errors import StoreError
from regrade.report.flips import flip_view, lost_means
from regrade.store import RunEntry
from regrade.store.sample_texts import ArmKey, baseline_texts, run_texts
from regrade.types import JsonObject, Key
from regrade.views import FlipItem, FlipKind, FlipPageView, FlipSizes, LinkView, NoticeView

__all__ = ["FLIP_COLUMNS", "Chosen", "FlipReader", "flips_page"]

FLIP_COLUMNS = (
    *("flip", "eval", "scorer", "metric", "sample", "before", "after"),
    *("run_a", "prompt_a", "model_a", "run_b", "prompt_b", "model_b"),
)
_BATCH = 5_000

_COUNTS: dict[str, Callable[[Flips], int]] = {
    "lost": lambda flips: flips.broken_count,
    "gained": lambda flips: flips.mended_count,
    "failed": lambda flips: flips.failed_count,
    "answered": lambda flips: flips.answered_count,
    "flaky": lambda flips: flips.flaky,
}


_TITLES = {"failed": "answer to failure", "answered": "failure to answer"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The flips that an address asks for.

    Attributes:
        address: The page's.
        groups: Those of the comparison that fit its filters, each with its place among all.
    """

    address: CompareAddress
    groups: tuple[tuple[int, Flips], ...]

    @classmethod
    def of(cls, found: Comparison, address: CompareAddress) -> "Chosen":
        """Return what fits the filters of an address."""
        groups = tuple(
            (place, one)
            for place, one in enumerate(found.flips)
            if address.eval in {"", one.b.eval}
            and address.model in {"", one.a.model, one.b.model}
            and address.scorer in {"", one.scorer}
        )
        return cls(address, groups)

    def told(self, flips: Flips) -> str:
        """Return the names that tell a group from the others: of eval, models, prompts, scorer."""
        names = [_names(one) for _, one in self.groups]
        mine = zip(_names(flips), *names, strict=True)
        return ", ".join(own for own, *every in mine if len(set(every)) > 1)

    def count(self, kind: str) -> int:
        """Return how many flips of a kind there are."""
        return sum(_COUNTS[kind](one) for _, one in self.groups)

    def listed(self, kind: str) -> int:
        """Return how many of them can be looked at."""
        return sum(min(LISTED, _COUNTS[kind](one)) for _, one in self.groups)

    def stretches(self, kind: str, rows: range) -> Iterator[tuple[tuple[int, Flips], range]]:
        """Yield where flips stand: group after group, in each the largest changes first."""
        start = 0
        for group in self.groups:
            size = min(LISTED, _COUNTS[kind](group[1]))
            mine = range(max(rows.start - start, 0), min(rows.stop - start, size))
            if mine:
                yield group, mine
            start += size


class FlipReader:
    """Reads flips of one comparison with their texts.

    Args:
        site: What all pages share.
        a: Side A.
        b: Side B.
    """

    def __init__(self, site: Site, a: Side, b: Side) -> None:
        self._site = site
        self._a = _Answers.of(site, a)
        self._b = _Answers.of(site, b)

    @property
    def notes(self) -> tuple[NoticeView, ...]:
        """Return why answers are not at hand, and what helps."""
        return tuple(one for side in (self._a, self._b) for one in side.notes())

    def items(self, chosen: Chosen, kind: str, rows: range) -> list[FlipItem] | None:
        """Return some flips of a kind; None where they have to be computed anew.

        Raises:
            StoreError: When answers cannot be read.
        """
        found: list[FlipItem] = []
        for group, mine in chosen.stretches(kind, rows):
            listed = self._site.comparisons.flips(
                self._a.side.located, self._b.side.located, group, kind, mine
            )
            if listed is None:
                return None
            found += self._of_group(group[1], listed, chosen.told(group[1]))
        return found

    def records(self, chosen: Chosen, kinds: Sequence[str]) -> Iterator[list[JsonObject]]:
        """Yield all listed flips without their texts, some thousand at a time.

        Args:
            chosen: What the address asks for.
            kinds: Of these kinds.

        Raises:
            StoreError: When they have to be computed anew.
        """
        sides = self._a.side.located, self._b.side.located
        for kind in kinds:
            for first in range(0, chosen.listed(kind), _BATCH):
                for group, mine in chosen.stretches(kind, range(first, first + _BATCH)):
                    listed = self._site.comparisons.flips(*sides, group, kind, mine)
                    if listed is None:
                        raise StoreError("the flips are no longer kept", hint="ask for them again")
                    yield [_record(kind, group[1], one) for one in listed]

    def _of_group(self, flips: Flips, listed: Sequence[Flip], told: str) -> Iterator[FlipItem]:
        samples = [one.sample for one in listed]
        of_a, of_b = self._a.texts(flips.a, samples), self._b.texts(flips.b, samples)
        repeated = max(flips.a.epochs, flips.b.epochs) > 1
        for one in listed:
            row_a, row_b = of_a.get(one.sample, {}), of_b.get(one.sample, {})
            flip = flip_with_texts(one, row_a, row_b)
            sizes = _sizes(row_a, row_b)
            view = flip_view(flip, repeated=repeated)
            if view.alike and (sizes.text_a or sizes.text_b):
                view = replace(view, alike=f"their first {len(flip.text_a or ''):,} characters are alike")
            yield FlipItem(
                view,
                told,
                self._a.story(flips.a, one.sample),
                self._b.story(flips.b, one.sample),
                (_look(one.before, flips), _look(one.after, flips)),
                (
                    self._a.absent(row_a, one.before),
                    self._b.absent(row_b, one.after),
                ),
                sizes,
            )


@dataclass(frozen=True, slots=True)
class _Answers:
    """Where the answers of a side are read: a baseline may have left them in the run that it was set from."""

    site: Site
    side: Side
    run: RunEntry | None

    @classmethod
    def of(cls, site: Site, side: Side) -> "_Answers":
        return cls(site, side, origin_of(site, side))

    @property
    def _kept(self) -> bool:
        return self.side.baseline is not None and bool(self.side.baseline.header.get("answers"))

    @property
    def _made(self) -> str:
        return "" if self.side.baseline is None else str(self.side.baseline.header.get("run", ""))

    def absent(self, row: JsonObject, score: float | None) -> str:
        """Return what to say in place of an answer: why it failed, or where it would be."""
        if score is None and row.get("failure_kind"):
            return ": ".join(str(row[one]) for one in ("failure_kind", "failure_message") if row.get(one))
        if self.run is None and not self._kept:
            return f"the run {self._made} is not here any more"
        return f"not stored in {self.side.name if self.run is None else self.run.id}"

    def notes(self) -> Iterator[NoticeView]:
        if self.run is None and not self._kept:
            yield NoticeView(
                f"The answers of {self.side.name} are not at hand",
                f"The baseline keeps scores alone, and the run {self._made}, which it was set from, is not "
                "here any more. Opened with that run's results folder, the dashboard shows them; of a "
                "baseline that is set like this it always does:",
                f"regrade baseline set {self.side.name} RUN --answers --replace",
            )

    def texts(self, arm: ArmName, samples: Sequence[str]) -> dict[str, JsonObject]:
        key = ArmKey(arm.eval, arm.prompt, arm.model)
        if self.run is None or self._kept:
            return baseline_texts(self.side.path, key, samples)
        try:
            with self.site.runs.use(self.run.folder) as opened:
                return run_texts(opened.queries, key, samples)
        except StoreError:
            if self.side.baseline is None:
                raise
            return {}  # a baseline's figures do not depend on the run that it was set from

    def story(self, arm: ArmName, sample: str) -> str:
        """Return the URL of the sample's whole story; without the run there is none."""
        if self.run is None or not sample:
            return ""
        ref = sample_ref(Key(arm.eval, arm.prompt, arm.model, sample, 1))
        return SamplesAddress(self.run.id, eval=arm.eval, model=(arm.model,), open=ref).url()


def flips_page(chosen: Chosen, items: Sequence[FlipItem], kind: str, first: int, size: int) -> FlipPageView:
    """Return the view of some flips.

    Args:
        chosen: What the address asks for.
        items: Those of this page.
        kind: Their kind.
        first: How many stand before them.
        size: Of a page.
    """
    address, listed = chosen.address, chosen.listed(kind)
    means = list(dict.fromkeys(lost_means(one) for _, one in chosen.groups))
    told = {
        "lost": " or ".join(means),
        "gained": "the other way round",
        "failed": "a score with A, none with B: a failure, or an answer that could not be scored",
        "answered": "the other way round",
        "flaky": "pass now and then with A and with B: neither lost nor gained",
    }
    kinds = tuple(
        FlipKind(
            _TITLES.get(name, name),
            told[name],
            chosen.count(name),
            LinkView(name, f"{address.url(flips=name, after=0)}#flips", name == kind),
        )
        for name in _COUNTS
    )
    before = LinkView("Previous", f"{address.url(after=max(0, first - size))}#flips") if first else None
    last = first + len(items)
    after = LinkView("Next", f"{address.url(after=last)}#flips") if last < listed and items else None
    return FlipPageView(kinds, kind, tuple(items), first, chosen.count(kind), listed, before, after)


def _record(kind: str, flips: Flips, one: Flip) -> JsonObject:
    a, b = flips.a, flips.b
    told = (kind, b.eval, flips.scorer, flips.metric, one.sample, one.before, one.after)
    return dict(zip(FLIP_COLUMNS, (*told, a.run, a.prompt, a.model, b.run, b.prompt, b.model), strict=True))


def _sizes(a: JsonObject, b: JsonObject) -> FlipSizes:
    """Return how long those texts are of which the first characters were read; shared ones are B's first."""

    def either(name: str) -> int:
        return int((b if b.get(name) is not None else a).get(f"{name}_size", 0))

    answers = (int(row.get("text_size", 0)) for row in (a, b))
    return FlipSizes(either("messages"), either("target"), *answers)


def _names(flips: Flips) -> tuple[str, str, str, str]:
    a, b = flips.a, flips.b
    models = b.model if a.model == b.model else f"{b.model} against {a.model}"
    prompts = b.prompt if a.prompt == b.prompt else f"{b.prompt} against {a.prompt}"
    return b.eval, models, prompts, flips.scorer


def _look(share: float | None, flips: Flips) -> str:
    if share is None:
        return "failure"
    if flips.graded:
        return "none"
    return "pass" if share >= 1 else "fail" if share <= 0 else "unsure"
