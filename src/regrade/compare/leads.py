"""Slices of metadata that stand out: leads for a closer look, never verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from regrade.arms import Arm, Joined, Pairing
from regrade.compare.changes import change_of
from regrade.compare.pairing import chosen_samples, pair_up
from regrade.comparisons import Change, Lead
from regrade.protocols import PerSample
from regrade.stats import benjamini_hochberg, paired_test

__all__ = ["find_leads", "main_measures"]

_FEWEST = 5  # samples of a slice
_FALSE_DISCOVERIES = 0.1
_MOST = 20


def main_measures(a: Arm, b: Arm) -> Iterator[tuple[str, str]]:
    """Yield scorer and metric of each scorer's first metric that speaks of single samples on both sides."""
    seen: set[str] = set()
    for measure in b.measures:
        usable = measure.scorer and measure.metric != "parsed_rate" and isinstance(measure.source, PerSample)
        if usable and measure.scorer not in seen and a.measure(*measure.name) is not None:
            seen.add(measure.scorer)
            yield measure.name


def find_leads(pairs: Sequence[Joined], level: float, seed: int) -> list[Lead]:
    """Return the slices whose change is unlikely to be chance, the surest first.

    p is adjusted by Benjamini & Hochberg over every slice of every pair of arms and scorer; at most 20 with
    an expected share of false discoveries of 10 % are kept.

    Args:
        pairs: All pairs of arms.
        level: Of the intervals.
        seed: Of every draw.
    """
    found = [one for joined in pairs for one in _of_pair(joined, seed)]
    if not found:
        return []
    q = benjamini_hochberg(np.array([one.p for one in found], dtype=np.float64))
    leads = [(float(each), one) for one, each in zip(found, q, strict=True) if each <= _FALSE_DISCOVERIES]
    leads.sort(key=lambda lead: (lead[0], -abs(lead[1].difference)))
    return [Lead(replace(one.change(level, seed), p_adjusted=each), each) for each, one in leads[:_MOST]]


@dataclass(frozen=True, slots=True)
class _Part:
    """One slice by one metric: its p at once, all other figures when they are wanted."""

    name: str
    pairing: Pairing
    p: float
    difference: float

    def change(self, level: float, seed: int) -> Change:
        return replace(change_of(self.pairing, level, seed), slice=self.name)


def _of_pair(joined: Joined, seed: int) -> Iterator[_Part]:
    for name in main_measures(joined.a, joined.b):
        a, b = joined.a.measure(*name), joined.b.measure(*name)
        if a is None or b is None:
            continue
        for field, coded in joined.b.slices.items():
            for text in coded.texts:
                part = chosen_samples(joined, {field: text})
                if not _FEWEST <= part.rows_a.size < joined.rows_a.size:
                    continue
                pairing = pair_up(part, a, b, seed)
                if pairing.mean is not None:
                    test = paired_test(pairing.mean, seed)
                    yield _Part(f"{field}={text}", pairing, test.two_sided, test.mean)
