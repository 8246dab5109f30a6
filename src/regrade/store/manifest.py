"""`run.json`: what was run, with what, and how it ended."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeAlias

from regrade.errors import StoreError
from regrade.jsonio import atomic_write, encode, loads
from regrade.types import Json, JsonObject

__all__ = ["SCHEMA_VERSION", "Manifest", "Status"]

_FROM_A_COPY = "Take run.json from a copy: `regrade run --resume` then makes the tables from the journal"

SCHEMA_VERSION = 1

Status: TypeAlias = Literal["started", "success", "partial", "interrupted", "error"]


@dataclass(slots=True)
class Manifest:
    """The record of one run.

    Attributes:
        id: The run.
        status: How far it came.
        created_at: ISO 8601 UTC.
        finished_at: Likewise; empty while it runs.
        specs: Each spec as it was run: file, content, overrides of the command line.
        models: Each resolved model; never a key.
        measures: Eval to its scorers: range, metrics and their arguments.
        datasets: Eval to number of samples and fingerprint of all of them.
        versions: regrade, Python and the packages that numbers depend on.
        git: Commit, and whether files were changed, where the specs lie in a repository.
        tags: Of all specs.
        planned: Answers that are asked for, by model.
        counts: Requests planned, finished, failed, and recalled from an earlier sitting; `silent` models.
        parent: The run whose outputs were scored again.
        replay_of: The run whose recording answered; verdicts name that one.
        options: Limits of the executor and the seed of resampling.
        message: Why it is not a success.
        schema_version: Of the whole folder.
    """

    id: str
    status: Status = "started"
    created_at: str = ""
    finished_at: str = ""
    specs: list[JsonObject] = field(default_factory=list)
    models: list[JsonObject] = field(default_factory=list)
    measures: dict[str, list[JsonObject]] = field(default_factory=dict)
    datasets: dict[str, JsonObject] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    git: JsonObject = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    planned: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    parent: str | None = None
    replay_of: str | None = None
    options: JsonObject = field(default_factory=dict)
    message: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def evals(self) -> list[str]:
        """Return the names of the evals in the run."""
        return [spec["name"] for spec in self.specs]

    def write(self, path: Path) -> None:
        """Replace the file atomically.

        Raises:
            StoreError: When it cannot be written.
        """
        import json

        # There and back again: what JSON cannot carry, such as half a character, becomes its escape.
        text = json.dumps(loads(encode(asdict(self))), indent=2, ensure_ascii=False)
        try:
            atomic_write(path, lambda stream: stream.write(text.encode() + b"\n"))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Read a manifest.

        Raises:
            StoreError: When there is none, or it was written by a newer version.
        """
        try:
            found: Json = loads(path.read_bytes())
        except OSError as error:
            if isinstance(error, FileNotFoundError) and (path.parent / "journal.jsonl").exists():
                raise StoreError(
                    f"{path.parent} has no run.json, which says what was run", hint=_FROM_A_COPY
                ) from error
            raise StoreError(f"{path.parent} holds no run: {error.strerror}") from error
        except ValueError as error:
            raise StoreError(f"{path} is not JSON: {error}", hint=_FROM_A_COPY) from error
        version = found.get("schema_version", 0) if isinstance(found, dict) else 0
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{path.parent} is of a newer regrade: schema {version}, this one reads {SCHEMA_VERSION}",
                hint="upgrade regrade to read it",
            )
        known = {one.name for one in fields(cls)}
        try:
            return cls(**{name: value for name, value in found.items() if name in known})
        except (TypeError, AttributeError) as error:
            raise StoreError(f"{path} is no manifest of a run") from error
