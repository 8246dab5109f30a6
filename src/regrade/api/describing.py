"""The manifest of a run: what is about to happen, written down before it does."""

import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from regrade.api.models import Cast
from regrade.api.options import RunOptions
from regrade.errors import StoreError
from regrade.spec import SpecFile
from regrade.store import Manifest, RunFolder
from regrade.types import JsonObject, Model, Price

__all__ = ["cast_of", "describe", "spec_records"]

_PACKAGES = (
    "regrade",
    "numpy",
    "scipy",
    "scikit-learn",
    "pyarrow",
    "jinja2",
    "httpx2",
    "aiohttp",
    "xllamacpp",
)


def describe(folder: RunFolder, files: Sequence[SpecFile], cast: Cast, options: RunOptions) -> Manifest:
    """Return the manifest of a run that starts or goes on now."""
    earlier = folder.manifest() if folder.manifest_path.exists() else None
    return Manifest(
        id=folder.id,
        created_at=earlier.created_at if earlier else datetime.now(UTC).isoformat(timespec="seconds"),
        specs=spec_records(files),
        models=_cast_records(cast),
        versions={"python": platform.python_version(), **_versions()},
        git=_git(files[0].path.parent),
        tags=sorted({tag for file in files for tag in file.spec.tags}),
        parent=earlier.parent if earlier else None,
        options={
            "models": list(options.models) if options.models is not None else None,
            "limit": options.limit,
            "epochs": options.epochs,
            "max_connections": options.max_connections,
            "level": options.level,
            "seed": options.seed,
            "record": None if options.record is None else str(options.record),
            "replay": None if options.replay is None else str(options.replay),
        },
    )


def spec_records(files: Sequence[SpecFile]) -> list[JsonObject]:
    """Return each spec as the manifest holds it."""
    return [
        {
            "name": file.spec.name,
            "file": str(file.path),
            "spec": file.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        for file in files
    ]


def _cast_records(cast: Cast) -> list[JsonObject]:
    answering = [{"eval": name, **_model_record(model)} for name, one in cast.models.items() for model in one]
    return [*answering, *({"judge": True, **_model_record(model)} for model in cast.judges.values())]


def _model_record(model: Model) -> JsonObject:
    record = {name: value for name, value in asdict(model).items() if value not in (None, {}, "")}
    if model.identity == "demo:":
        record["base_url"] = "demo:"  # its port changes with every run
    return record


def cast_of(manifest: Manifest) -> Cast:
    """Return who answered and judged in a run, from its manifest.

    Raises:
        StoreError: When the records are not of this version.
    """
    models: dict[str, list[Model]] = {}
    judges: dict[str, Model] = {}
    for record in manifest.models:
        try:
            model = _model_of(record)
        except (TypeError, KeyError) as error:
            raise StoreError(
                f"run.json of {manifest.id} describes a model in another form: {error}"
            ) from error
        if record.get("judge"):
            judges[model.name] = model
        else:
            models.setdefault(record["eval"], []).append(model)
    return Cast(models, judges)


def _model_of(record: JsonObject) -> Model:
    known = {name: value for name, value in record.items() if name not in {"eval", "judge", "price"}}
    price = record.get("price")
    return Model(**known, price=Price(**price) if price else None)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git(folder: Path) -> JsonObject:
    """Return the commit that the specs stand in, and whether files differ from it."""
    git = shutil.which("git")
    if git is None:
        return {}

    def ask(*arguments: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            [git, "-C", str(folder), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    if not commit:
        return {}
    return {"commit": commit, "changed": bool(ask("status", "--porcelain", "--untracked-files=no"))}
