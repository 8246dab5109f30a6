"""What the index tells of a run without opening a table."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from regrade.jsonio import short_hash
from regrade.store.folders import RunFolder
from regrade.store.manifest import Manifest
from regrade.types import Json, JsonObject

__all__ = ["EvalShape", "FolderProblem", "ProblemKind", "RunEntry", "entry_of", "entry_record", "read_entry"]

ProblemKind: TypeAlias = Literal["missing", "newer", "broken"]


@dataclass(frozen=True, slots=True)
class FolderProblem:
    """A results or run folder, or a file of one, that cannot be shown.

    Attributes:
        path: What it is about.
        kind: `missing` (no such folder), `newer` (written by a newer regrade) or `broken`.
        message: What is wrong, in a sentence.
        hint: What to do about it; empty where nothing is known to help.
    """

    path: Path
    kind: ProblemKind
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class EvalShape:
    """What the figures of an eval depend on, as hashes: where one differs between runs, so may the figures.

    Attributes:
        samples: How many there are.
        dataset: Fingerprint of all of them.
        scorers: Hash of how each is set and of the user's own code, by title.
        prompts: Hash of each, by name.
        models: Hash of what is asked where with which parameters, by name.
        tags: Those of its spec; no figure depends on them.
    """

    samples: int = 0
    dataset: str = ""
    scorers: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run of a results folder.

    Attributes:
        id: The run; the same id may stand in two results folders.
        path: Its folder.
        results: The results folder it lies in, as it was named.
        status: `started`, `success`, `partial`, `interrupted` or `error`.
        started_at: ISO 8601 UTC.
        finished_at: Likewise; empty while it runs.
        evals: Names, in order.
        models: Names of those that answer, in order.
        tags: Of all specs.
        counts: As in the manifest; empty while it runs.
        planned: Answers that are asked for, by model; empty for runs of an older regrade.
        git: `commit` and `changed`, where the specs lie in a repository.
        message: Why it is no success.
        parent: The run whose outputs were scored again.
        shapes: What the figures of each eval depend on.
    """

    id: str
    path: Path
    results: Path
    status: str
    started_at: str
    finished_at: str
    evals: tuple[str, ...]
    models: tuple[str, ...]
    tags: tuple[str, ...]
    counts: Mapping[str, int]
    planned: Mapping[str, int]
    git: Mapping[str, Json]
    message: str
    parent: str | None
    shapes: Mapping[str, EvalShape]

    def tags_of(self, name: str) -> tuple[str, ...]:
        """Return the tags of one eval: its own, and those of the run that are no other eval's."""
        own = self.shapes[name].tags if name in self.shapes else ()
        others = {tag for shape in self.shapes.values() for tag in shape.tags}.difference(own)
        return tuple(tag for tag in self.tags if tag not in others)

    @property
    def folder(self) -> RunFolder:
        """Return the run's folder as the rest of the store takes it."""
        return RunFolder(self.path)

    def manifest(self) -> Manifest:
        """Read the whole manifest.

        Raises:
            StoreError: When it is gone or cannot be read any more.
        """
        return self.folder.manifest()


def read_entry(path: Path, results: Path) -> RunEntry:
    """Return the entry of a run folder.

    Raises:
        StoreError: When the manifest is of a newer version or cannot be read.
        AttributeError, KeyError, TypeError, ValueError: When it is not what a run writes.
    """
    found = Manifest.read(path / "run.json")
    answering = [one for one in found.models if not one.get("judge")]
    return RunEntry(
        id=path.name,
        path=path,
        results=results,
        status=str(found.status),
        started_at=str(found.created_at),
        finished_at=str(found.finished_at),
        evals=tuple(map(str, found.evals)),
        models=_names(one["name"] for one in answering),
        tags=tuple(map(str, found.tags)),
        counts={str(name): int(count) for name, count in found.counts.items()},
        planned={str(name): int(count) for name, count in found.planned.items()},
        git=dict(found.git),
        message=str(found.message),
        parent=found.parent,
        shapes={spec["name"]: _shape(spec, found, answering) for spec in found.specs},
    )


def _names(names: Iterable[Json]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, names)))


def _shape(spec: JsonObject, found: Manifest, answering: list[JsonObject]) -> EvalShape:
    name, as_run = spec["name"], spec.get("spec") or {}
    dataset = found.datasets.get(name) or {}
    constants = [as_run.get("vars"), as_run.get("matrix")]
    own = [one for one in answering if one.get("eval", name) == name]
    return EvalShape(
        samples=int(dataset.get("samples") or 0),
        dataset=str(dataset.get("fingerprint") or ""),
        scorers={
            str(one["scorer"]): short_hash([one.get("recipe"), one.get("code")])
            for one in found.measures.get(name, [])
        },
        prompts={
            str(prompt): short_hash([content, constants])
            for prompt, content in (as_run.get("prompts") or {}).items()
        },
        models={str(one["name"]): short_hash([_asked(one), as_run.get("parameters")]) for one in own},
        tags=tuple(map(str, as_run.get("tags") or ())),
    )


def _asked(model: JsonObject) -> JsonObject:
    """Return what of a model's record changes its answers."""
    names = ("id", "provider", "identity", "endpoint", "params", "inline_reasoning", "options")
    return {name: model.get(name) for name in names}


def entry_record(entry: RunEntry) -> JsonObject:
    """Return an entry as the cache keeps it: without its place, which is the cache's key."""
    record = asdict(entry)
    for name in ("path", "results"):
        del record[name]
    return record


def entry_of(record: JsonObject, path: Path, results: Path) -> RunEntry:
    """Return the entry that was kept.

    Raises:
        KeyError, TypeError: When the record is not one.
    """
    shapes = {
        name: EvalShape(**{**shape, "tags": tuple(shape["tags"])}) for name, shape in record["shapes"].items()
    }
    lists = {name: tuple(record[name]) for name in ("evals", "models", "tags")}
    return RunEntry(**{**record, **lists, "shapes": shapes, "path": path, "results": results})
