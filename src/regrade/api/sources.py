"""Runs and baselines as arms: what `compare`, `gate` and `power` read."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from regrade.addresses import joined, pieces
from regrade.api.measures import metrics_of
from regrade.errors import PluginError, StoreError, UsageError, did_you_mean
from regrade.plugins import Registry
from regrade.store import (
    BaselineFile,
    RunFolder,
    baseline_names,
    find_baseline,
    find_run,
    read_batches,
    read_rows,
)
from regrade.types import JsonObject

if TYPE_CHECKING:
    import pyarrow as pa

    from regrade.aggregate import EvalMetrics
    from regrade.api.results import Baseline, Run
    from regrade.arms import Arm
    from regrade.comparisons import ArmName

__all__ = ["ArmChoice", "Recorded", "Reference", "lay_out", "open_recorded", "reference_text"]

_SELECTORS = ("model", "prompt")
_FORM = "an arm is written RUN[,model=x][,prompt=p], a comma of a name as \\,"
_ROWS = 2**16
_LOOKED_AT = 4096  # samples whose metadata tell which fields there are

Reference: TypeAlias = "str | Path | Run | Baseline | ArmChoice"
"""What names a run or baseline: a text, its folder or file, or what `regrade.run` or `set_baseline` gave."""


def reference_text(reference: Reference) -> str:
    """Return a text that means the same run or baseline."""
    if isinstance(reference, str):
        return reference
    if isinstance(reference, ArmChoice):
        return reference.reference
    path = reference if isinstance(reference, Path) else reference.path
    return str(path.absolute())


@dataclass(frozen=True, slots=True)
class ArmChoice:
    """What the user calls an arm: `RUN[,model=x][,prompt=p]`, a comma of a name with a backslash before it.

    Attributes:
        reference: A run or baseline.
        model: Only this model; None for all.
        prompt: Only this prompt; None for all.
    """

    reference: str
    model: str | None = None
    prompt: str | None = None

    @classmethod
    def parse(cls, text: Reference) -> "ArmChoice":
        """Read the user's text; what is none means all arms, and its path may hold commas.

        Raises:
            UsageError: A selector that is none.
        """
        if isinstance(text, ArmChoice):
            return text
        if not isinstance(text, str):
            return cls(reference_text(text))
        reference, *selectors = pieces(text)
        found: dict[str, str] = {}
        for one in selectors:
            name, equals, value = one.partition("=")
            if name not in _SELECTORS or not equals or not value or name in found:
                hint = did_you_mean(name, _SELECTORS) or _FORM
                raise UsageError(f'"{text}": "{one}" selects nothing', hint=hint)
            found[name] = value
        return cls(reference or "latest", **found)

    @property
    def selected(self) -> frozenset[str]:
        """Return which names were chosen."""
        return frozenset(name for name in _SELECTORS if getattr(self, name) is not None)

    def text(self, name: str) -> str:
        """Return how tables call the arm of a run."""
        parts = [f"{one}={getattr(self, one)}" for one in _SELECTORS if getattr(self, one) is not None]
        return joined([name, *parts])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run or a baseline that can be laid out.

    Attributes:
        name: The run's id, or the baseline's name.
        status: Of the run.
        models: Records of its models.
        measures: Eval to how its scores are aggregated.
        fingerprint: Of a baseline.
        folder: The run's folder.
        baseline: The baseline's file.
        replay_of: The run whose recording answered.
    """

    name: str
    status: str
    models: Sequence[JsonObject]
    measures: Mapping[str, Sequence[JsonObject]]
    fingerprint: str = ""
    folder: RunFolder | None = None
    baseline: BaselineFile | None = None
    replay_of: str | None = None

    def beside(self, others: "Collection[Recorded]") -> str:
        """Return what verdicts and comparisons call it beside others.

        A replay goes by the id of the run that was recorded, so that it says the same of the same answers,
        unless that run is here too.
        """
        taken = {other.name for other in others} | {other.replay_of for other in others if other is not self}
        return self.name if self.replay_of is None or self.replay_of in taken else self.replay_of

    def batches(self, table: str, columns: Sequence[str]) -> "Iterator[pa.RecordBatch]":
        """Yield some columns of `samples` or `scores`.

        Raises:
            StoreError: When they are not there or damaged.
        """
        if self.baseline is not None:
            return self.baseline.batches(table, columns)
        if self.folder is None:
            raise StoreError(f"{self.name} holds nothing")
        return read_batches(self.folder, table, columns, _ROWS)

    def texts(self, arm: "ArmName", keys: Iterable[int]) -> dict[int, JsonObject]:
        """Return sample id, messages, target and answer (of the first repeat) by the hash of the id.

        A baseline without texts gives the ids alone.
        """
        columns = ("sample_id", "epoch", "messages", "target", "text", "tool_calls", "failure_kind")
        found: dict[int, JsonObject] = {}
        for row in self._rows(arm, set(keys), columns):
            place = hash(row["sample_id"])
            if place not in found or row["epoch"] < found[place]["epoch"]:
                found[place] = row
        return found

    def ids(self, arm: "ArmName", keys: Iterable[int]) -> dict[int, str]:
        """Return the ids of samples by their hashes."""
        return {hash(row["sample_id"]): row["sample_id"] for row in self._rows(arm, set(keys), ["sample_id"])}

    def _rows(self, arm: "ArmName", wanted: set[int], columns: Sequence[str]) -> Iterator[JsonObject]:
        from regrade.aggregate.arms import sample_keys

        key = {"eval": arm.eval, "prompt": arm.prompt, "model": arm.model, "role": "answer"}
        if self.baseline is not None:
            key["table"] = "samples"

        def chosen(batch: "pa.RecordBatch") -> list[int]:
            same = _same(batch, key)
            hashes = sample_keys(batch.column("sample_id"))
            return [row for row in same if int(hashes[row]) in wanted]

        path = self._samples_path()
        if path is None or not wanted:
            return iter(())
        return read_rows(path, (*key, "sample_id"), chosen, columns)

    def setup(self) -> JsonObject:
        """Return its manifest; of a baseline its header, which tells less.

        Raises:
            StoreError: When it cannot be read.
        """
        if self.baseline is not None:
            return dict(self.baseline.header)
        return {} if self.folder is None else asdict(self.folder.manifest())

    def with_modes(self, arms: "Sequence[Arm]") -> "list[Arm]":
        """Return its arms, each with the mode in which its multiple choice was asked."""
        modes = {
            (one["eval"], one["name"]): str(one["choice_mode"]) for one in self.models if "choice_mode" in one
        }
        return [replace(arm, choice_mode=modes.get((arm.eval, arm.model), "")) for arm in arms]

    def _samples_path(self) -> Path | None:
        if self.baseline is not None:
            return self.baseline.path
        return None if self.folder is None else self.folder.table_path("samples")

    def metrics(self, registry: Registry) -> "dict[str, EvalMetrics]":
        """Return how each eval is aggregated.

        Raises:
            StoreError: Records of another form, or a metric that is not to be had any more.
        """
        try:
            return {name: metrics_of(records, registry) for name, records in self.measures.items()}
        except (KeyError, TypeError) as error:
            raise StoreError(f"{self.name} describes its metrics in another form: {error}") from error
        except PluginError as error:
            raise StoreError(f"a metric of {self.name} is not to be had any more: {error.message}") from error


def _same(batch: "pa.RecordBatch", wanted: Mapping[str, str]) -> list[int]:
    import numpy as np
    import pyarrow.compute as pc

    kept = np.ones(batch.num_rows, dtype=np.bool_)
    for name, text in wanted.items():
        equal = pc.equal(batch.column(name), text)
        kept &= np.asarray(pc.fill_null(equal, fill_value=False))
    return [int(row) for row in np.flatnonzero(kept)]


def open_recorded(results: Path, reference: str) -> Recorded:
    """Return the run or baseline that a reference means; a baseline's name goes first.

    Raises:
        UsageError: When there is none.
        StoreError: When it cannot be read.
    """
    baseline = find_baseline(results, reference)
    if baseline is not None:
        header = baseline.header
        return Recorded(
            name=baseline.name,
            status="success",
            models=header.get("models", []),
            measures=header.get("measures", {}),
            fingerprint=baseline.fingerprint,
            baseline=baseline,
        )
    try:
        folder = find_run(results, reference)
    except UsageError as error:
        if reference in {"latest", "previous"} or " fits " in error.message:
            raise
        names = baseline_names(results)
        make = "" if names else f"\n  make a baseline with: regrade baseline set {reference} RUN"
        listed = f"`regrade runs` lists the runs, `regrade baseline list` the baselines{make}"
        hint = did_you_mean(reference, ("latest", "previous", *names)) or listed
        raise UsageError(f'no run or baseline "{reference}" in {results}', hint=hint) from error
    manifest = folder.manifest()
    if not manifest.measures:
        raise StoreError(
            f"{folder.id} was made by an older regrade, which did not write down how it was measured",
            hint=f"score it again, which sends nothing: regrade score {folder.id}",
        )
    return Recorded(
        folder.id,
        manifest.status,
        manifest.models,
        manifest.measures,
        folder=folder,
        replay_of=manifest.replay_of,
    )


def lay_out(
    sides: Sequence[tuple[Recorded, ArmChoice]], registry: Registry, slices: Sequence[str] | None = ()
) -> "list[list[Arm]]":
    """Return the arms of each side; the sides share the codes of samples and labels.

    Args:
        sides: A run or baseline, and which of its arms.
        registry: Plug-ins.
        slices: Metadata fields that must be laid out, beside those that tell samples apart; None lays out
            no field at all.

    Raises:
        UsageError: A model or prompt that a side does not hold.
        StoreError: When something cannot be read.
    """
    from regrade.aggregate.arms import ARM_SCORE_COLUMNS, ArmReader, arm_request_columns, fields_of

    sources = {one.name: one for one, _ in sides}
    fields = dict.fromkeys(slices or ())
    for one in sources.values() if slices is not None else ():
        fields |= dict.fromkeys(fields_of(_first(one.batches("samples", ["metadata"]))))
    reader = ArmReader(tuple(fields))
    whole = {
        name: one.with_modes(
            reader.read(
                name,
                one.batches("samples", arm_request_columns()),
                one.batches("scores", ARM_SCORE_COLUMNS),
                one.metrics(registry),
            )
        )
        for name, one in sources.items()
    }
    titles = {name: one.beside(sources.values()) for name, one in sources.items()}
    return [_selected(whole[one.name], choice, titles[one.name]) for one, choice in sides]


def _first(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    seen = 0
    for batch in batches:
        yield batch.slice(0, _LOOKED_AT - seen)
        seen += batch.num_rows
        if seen >= _LOOKED_AT:
            return


def _selected(arms: "Sequence[Arm]", choice: ArmChoice, title: str) -> "list[Arm]":
    found = list(arms)
    for name in _SELECTORS:
        wanted: Any = getattr(choice, name)
        if wanted is None:
            continue
        known = list(dict.fromkeys(getattr(one, name) for one in arms))
        if wanted not in known:
            hint = did_you_mean(wanted, known) or f"it holds: {', '.join(known)}"
            raise UsageError(f'{choice.reference} holds no {name} "{wanted}"', hint=hint)
        found = [one for one in found if getattr(one, name) == wanted]
    # Tables tell the arms of one run apart by what was chosen.
    return [replace(one, run=choice.text(title)) for one in found]
