"""`compare`: two runs, or two arms of one, measured against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.api.sources import ArmChoice, Recorded, Reference, lay_out, open_recorded
from regrade.errors import UsageError
from regrade.plugins import Registry
from regrade.report.messages import answer_text
from regrade.types import JsonObject
from regrade.views import Document, TableView

if TYPE_CHECKING:
    import pyarrow as pa

    from regrade.arms import Arm
    from regrade.comparisons import ArmName, Change, Comparison, Flip, Flips, Lead

__all__ = [
    "ComparedRuns",
    "changes_between",
    "compare",
    "flip_with_texts",
    "listed_comparison",
    "refuse_itself",
    "set_up_otherwise",
    "unfinished",
    "with_texts",
]


@dataclass(frozen=True)
class ComparedRuns:
    """What changed between A and B, as `import regrade` gives it.

    Attributes:
        comparison: Every figure.
    """

    comparison: "Comparison"

    def __repr__(self) -> str:
        found = self.comparison
        return f"ComparedRuns({found.a!r}, {found.b!r}, changes={len(found.changes)})"

    @property
    def changes(self) -> "tuple[Change, ...]":
        """Return a record for every metric of every pair of arms."""
        return self.comparison.changes

    @property
    def leads(self) -> "tuple[Lead, ...]":
        """Return the slices that stand out: leads, never verdicts."""
        return self.comparison.leads

    @property
    def flips(self) -> "tuple[Flips, ...]":
        """Return the samples that changed sides."""
        return self.comparison.flips

    @cached_property
    def table(self) -> "pa.Table":
        """Return the changes as an Arrow table (`.to_pandas()`, `polars.from_arrow(...)`)."""
        import pyarrow as pa

        return pa.Table.from_pylist([asdict(one) for one in self.changes])

    @cached_property
    def document(self) -> Document:
        """Return what exporters write."""
        from regrade.report import comparison_document

        return comparison_document(self.comparison)

    @property
    def tables(self) -> tuple[TableView, ...]:
        """Return the tables that people read."""
        return self.document.tables


def compare(
    a: Reference,
    b: Reference = "latest",
    *,
    results: str | Path = "results",
    level: float = 0.95,
    seed: int = 0,
    registry: Registry | None = None,
) -> ComparedRuns:
    """Measure the candidate `b` against `a`, sample by sample.

    Args:
        a: A run or baseline, as an object, a path or a text; as a text also an arm of one:
            `RUN[,model=x][,prompt=p]`.
        b: Likewise.
        results: Where runs lie.
        level: Of every interval.
        seed: Of every draw.
        registry: Plug-ins, when the caller adds its own.

    Raises:
        UsageError: An unknown run, model or prompt, or nothing that both have.
        StoreError: When a run cannot be read.
    """
    if not 0 < level < 1:
        raise UsageError(f"a level lies between 0 and 1, not at {level}")
    return ComparedRuns(with_texts(*_compared(a, b, Path(results), registry or Registry(), (level, seed))))


def listed_comparison(
    a: Reference, b: Reference, *, results: str | Path = "results", registry: Registry, listed: int
) -> "Comparison":
    """Return what `compare` finds, with longer lists of flips: each with its sample's id and without texts.

    Args:
        a: As `compare` takes it.
        b: Likewise.
        results: Where runs lie.
        registry: Plug-ins.
        listed: Flips of each pair, scorer and direction that are listed.

    Raises:
        UsageError: As `compare`.
        StoreError: As `compare`.
    """
    found, side_a, side_b = _compared(a, b, Path(results), registry, (0.95, 0), listed)
    arms: dict[ArmName, ArmName] = {one.b: one.a for one in found.flips}
    keys: dict[ArmName, list[int]] = {}
    lists = ("broken", "mended", "wavering", "failed", "answered")
    for one in found.flips:
        keys.setdefault(one.b, []).extend(flip.key for name in lists for flip in getattr(one, name))
    ids = {b: {**side_a.ids(arms[b], every), **side_b.ids(b, every)} for b, every in keys.items()}

    def named(flips: "Flips") -> "Flips":
        known = ids[flips.b]

        def each(listed: "Sequence[Flip]") -> "tuple[Flip, ...]":
            return tuple(replace(flip, sample=known.get(flip.key, "")) for flip in listed)

        full: dict[str, Any] = {name: each(getattr(flips, name)) for name in lists}
        return replace(flips, **full)

    return replace(found, flips=tuple(map(named, found.flips)))


def _compared(
    a: Reference,
    b: Reference,
    results: Path,
    registry: Registry,
    figures: tuple[float, int],
    listed: int = 50,
) -> "tuple[Comparison, Recorded, Recorded]":
    """Return the comparison without texts, at a level and with a seed, and both sides."""
    from regrade.compare import compare_pairs, join, match_arms

    choice_a, choice_b = ArmChoice.parse(a), ArmChoice.parse(b)
    side_a, side_b = (open_recorded(results, one.reference) for one in (choice_a, choice_b))
    arms_a, arms_b = lay_out([(side_a, choice_a), (side_b, choice_b)], registry)
    pairs, alone = match_arms(arms_a, arms_b)
    if not pairs:
        raise UsageError(
            f"{_said(a)} and {_said(b)} have nothing in common", hint=_what_they_hold(arms_a, arms_b)
        )
    if side_a.name == side_b.name:
        refuse_itself(_said(b), pairs)
    names = choice_a.text(side_a.name), choice_b.text(side_b.name)
    found = compare_pairs(names, [join(*pair) for pair in pairs], alone, *figures, listed)
    skipped = (*passed_over(results, choice_a), *passed_over(results, choice_b))
    notes = (
        *skipped,
        *unfinished([side_a, side_b]),
        *set_up_otherwise(side_a, side_b, pairs),
        *changed_code(side_a, side_b),
        *found.notes,
    )
    return replace(found, notes=notes), side_a, side_b


def _said(reference: Reference) -> str:
    """Return what the user calls a side."""
    if not isinstance(reference, ArmChoice):
        return str(reference)
    return reference.text(Path(reference.reference).stem)


def changes_between(
    a: Reference,
    b: Reference,
    *,
    results: str | Path = "results",
    registry: Registry | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> "list[Change]":
    """Return the changes that `compare` finds, without flips, slices and texts: none where nothing is common.

    Args:
        a: A run or baseline, as `compare` takes it.
        b: Likewise.
        results: Where runs lie.
        registry: Plug-ins, when the caller adds its own.
        level: Of every interval.
        seed: Of every draw.

    Raises:
        UsageError: An unknown run, model or prompt.
        StoreError: When a run cannot be read.
    """
    from regrade.compare import changes_of, join, match_arms

    choice_a, choice_b = ArmChoice.parse(a), ArmChoice.parse(b)
    side_a, side_b = (open_recorded(Path(results), one.reference) for one in (choice_a, choice_b))
    if side_a.name == side_b.name:
        return []
    arms_a, arms_b = lay_out([(side_a, choice_a), (side_b, choice_b)], registry or Registry(), None)
    pairs, _ = match_arms(arms_a, arms_b)
    return changes_of([join(*pair) for pair in pairs], level, seed)


def refuse_itself(run: str, pairs: "Sequence[tuple[Arm, Arm]]") -> None:
    """Refuse an arm of a run that stands on both sides: what is held against itself never differs.

    Raises:
        UsageError: Naming it.
    """
    for a, b in pairs:
        if (a.prompt, a.model) == (b.prompt, b.model):
            raise UsageError(
                f"{run}: {b.model} ({b.eval}, prompt {b.prompt}) would be held against itself",
                hint="name two runs, or arms of one: RUN,model=x against RUN,model=y",
            )


def with_texts(found: "Comparison", a: Recorded, b: Recorded) -> "Comparison":
    """Return the comparison with prompts and answers of the samples that changed sides.

    Each arm is read once, whatever the number of scorers whose flips it is in.
    """
    keys: dict[tuple[ArmName, ArmName], list[int]] = {}
    for flips in found.flips:
        listed = keys.setdefault((flips.a, flips.b), [])
        listed.extend(one.key for one in (*flips.broken, *flips.mended))
    texts = {(of_a, of_b): (a.texts(of_a, own), b.texts(of_b, own)) for (of_a, of_b), own in keys.items()}
    told = (_told(one, *texts[one.a, one.b]) for one in found.flips)
    return replace(found, flips=tuple(told))


def _told(flips: "Flips", of_a: Mapping[int, JsonObject], of_b: Mapping[int, JsonObject]) -> "Flips":
    """Return the flips with their texts, found by the hash of the sample's id."""

    def told(flip: "Flip") -> "Flip":
        return flip_with_texts(flip, of_a.get(flip.key, {}), of_b.get(flip.key, {}))

    return replace(flips, broken=tuple(map(told, flips.broken)), mended=tuple(map(told, flips.mended)))


def flip_with_texts(flip: "Flip", of_a: JsonObject, of_b: JsonObject) -> "Flip":
    """Return a flip with what the samples' tables of both sides hold of it.

    Args:
        flip: The flip.
        of_a: Columns of A's row; empty where it is not stored.
        of_b: Likewise of B.
    """

    def either(name: str) -> JsonObject | None:
        return of_b.get(name) if of_b.get(name) is not None else of_a.get(name)

    return replace(
        flip,
        sample=str(either("sample_id") or flip.sample),
        messages=either("messages"),
        target=either("target"),
        text_a=answer_text(of_a.get("text"), of_a.get("tool_calls")),
        text_b=answer_text(of_b.get("text"), of_b.get("tool_calls")),
    )


def passed_over(results: Path, choice: ArmChoice) -> list[str]:
    """Say when `latest`, the newest success, is not the newest run."""
    from regrade.store import list_runs

    newest = list_runs(results)[-1:] if choice.reference == "latest" else []
    return [
        f"The newest run {folder.id} ended as {manifest.status}; `latest` is the success before it."
        for folder, manifest in newest
        if manifest.status != "success"
    ]


def set_up_otherwise(a: Recorded, b: Recorded, pairs: "Sequence[tuple[Arm, Arm]]") -> list[str]:
    """Return a sentence for each eval whose models, prompts, dataset or scorers are otherwise in B."""
    from regrade.report.setups import told_between, told_in_a_line

    if a.name == b.name:
        return []
    arms: dict[str, set[tuple[str, str]]] = {}
    for one, other in pairs:
        shown = arms.setdefault(other.eval, set())
        shown |= {("M", other.model)} if one.model == other.model else set()
        prompt = other.prompt.partition("[")[0]  # a variant of a matrix has its values behind it
        shown |= {("P", prompt)} if one.prompt == other.prompt else set()
    notes = []
    before, after = a.setup(), b.setup()
    for name, shown in arms.items():
        told = told_between(before, after, name)
        line = told_in_a_line({part: how for part, how in told.items() if part[0] in "DS" or part in shown})
        notes += [f"{name}, from A to B: {line}."] if line else []
    return notes


def changed_code(a: Recorded, b: Recorded) -> list[str]:
    """Return a sentence for each scorer whose own file is another one than that which scored A."""
    notes = []
    for name, scorers in b.measures.items():
        before = {str(one["scorer"]): one.get("code") for one in a.measures.get(name, ())}
        for one in scorers:
            old, new = before.get(str(one["scorer"])), one.get("code")
            if old and new and old != new:
                notes.append(
                    f"{name}: the file of {one['scorer']} has changed since it scored {a.name}. If it judges "
                    f"otherwise now, score that run again: regrade score {a.name}."
                )
    return notes


def unfinished(sides: Sequence[Recorded]) -> list[str]:
    """Return a sentence for each run that did not finish."""
    return [
        f"{one.name} did not finish ({one.status}); only what it holds counts."
        for one in {side.name: side for side in sides}.values()
        if one.status != "success"
    ]


def _what_they_hold(a: "Sequence[Arm]", b: "Sequence[Arm]") -> str:
    def names(arms: "Sequence[Arm]") -> str:
        return ", ".join(f"{arm.eval}/{arm.model}/{arm.prompt}" for arm in arms[:4])

    held = f"A holds {names(a)}; B holds {names(b)}"
    if {arm.eval for arm in a}.isdisjoint(arm.eval for arm in b):
        return f"{held}; runs of the same eval compare"
    return f"{held}; choose arms with RUN,model=x or RUN,prompt=p"
