"""The flips of a comparison, some at a time, each with both answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from regrade.addresses import CompareAddress, SamplesAddress, sample_ref
from regrade.api.comparing import flip_with_texts
from regrade.comparisons import ArmName, Comparison, Flip, Flips
from regrade.dashboard.comparisons import LISTED
from regrade.dashboard.references import Side
from regrade.dashboard.site import Site
from regrade.report.flips import flip_view, lost_means
from regrade.store.sample_texts import ArmKey, baseline_texts, run_texts
from regrade.types import JsonObject, Key
from regrade.views import FlipItem, FlipKind, FlipPageView, LinkView

__all__ = ["Chosen", "FlipReader", "flips_page"]

_COUNTS: dict[str, Callable[[Flips], int]] = {
    "lost": lambda flips: flips.broken_count,
    "gained": lambda flips: flips.mended_count,
    "flaky": lambda flips: flips.flaky,
}


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
        self._a = a
        self._b = b

    def items(self, chosen: Chosen, kind: str, rows: range) -> list[FlipItem] | None:
        """Return some flips of a kind; None where they have to be computed anew.

        Raises:
            StoreError: When answers cannot be read.
        """
        found: list[FlipItem] = []
        for group, mine in chosen.stretches(kind, rows):
            listed = self._site.comparisons.flips(self._a.located, self._b.located, group, kind, mine)
            if listed is None:
                return None
            found += self._of_group(group[1], listed, chosen.told(group[1]))
        return found

    def _of_group(self, flips: Flips, listed: Sequence[Flip], told: str) -> Iterator[FlipItem]:
        samples = [one.sample for one in listed]
        of_a, of_b = self._texts(self._a, flips.a, samples), self._texts(self._b, flips.b, samples)
        repeated = max(flips.a.epochs, flips.b.epochs) > 1
        for one in listed:
            flip = flip_with_texts(one, of_a.get(one.sample, {}), of_b.get(one.sample, {}))
            yield FlipItem(
                flip_view(flip, repeated=repeated),
                told,
                _story(self._a, flips.a, one.sample),
                _story(self._b, flips.b, one.sample),
                ("none", "none") if flips.graded else (_look(one.before), _look(one.after)),
            )

    def _texts(self, side: Side, arm: ArmName, samples: Sequence[str]) -> dict[str, JsonObject]:
        key = ArmKey(arm.eval, arm.prompt, arm.model)
        if side.run is None:
            return baseline_texts(side.path, key, samples)
        with self._site.runs.use(side.run.folder) as opened:
            return run_texts(opened.queries, key, samples)


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
        "flaky": "pass now and then with A and with B: neither lost nor gained",
    }
    kinds = tuple(
        FlipKind(
            name,
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


def _names(flips: Flips) -> tuple[str, str, str, str]:
    a, b = flips.a, flips.b
    models = b.model if a.model == b.model else f"{b.model} against {a.model}"
    prompts = b.prompt if a.prompt == b.prompt else f"{b.prompt} against {a.prompt}"
    return b.eval, models, prompts, flips.scorer


def _look(share: float) -> str:
    return "pass" if share >= 1 else "fail" if share <= 0 else "unsure"


def _story(side: Side, arm: ArmName, sample: str) -> str:
    """Return the URL of the sample's whole story; a baseline holds none."""
    if side.run is None or not sample:
        return ""
    ref = sample_ref(Key(arm.eval, arm.prompt, arm.model, sample, 1))
    return SamplesAddress(side.run.id, eval=arm.eval, model=(arm.model,), open=ref).url()
