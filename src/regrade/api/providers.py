"""From resolved models to what answers for them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from regrade.errors import UsageError
from regrade.http import Session
from regrade.plugins import Registry, load_code
from regrade.protocols import DatasetLoader, ModelProvider
from regrade.spec import build
from regrade.types import Json, Model

__all__ = ["DEMO_KEY", "build_loader", "build_provider"]

DEMO_KEY = "no-key-needed"
_TEXT_FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "tsv"}


def build_provider(
    model: Model,
    registry: Registry,
    session: Session,
    env: Mapping[str, str],
    positions: Callable[[], dict[str, int]],
) -> ModelProvider:
    """Return what answers for a model.

    Args:
        model: Resolved.
        registry: Where plug-ins are found.
        session: Shared connections.
        env: Holds the keys.
        positions: Returns each sample's place, for recorded outputs that pair in order.

    Raises:
        UsageError: When what it needs is not there or does not fit.
    """
    if model.provider == "openai":
        key = DEMO_KEY if model.identity == "demo:" else env.get(model.api_key_env or "")
        provider: ModelProvider = registry.load("provider", "openai")(model, session, key)
        return provider
    folder = Path(model.options["folder"])
    if model.provider == "outputs":
        return _recorded(model, registry, folder, positions)
    if model.provider == "python":
        function = load_code(model.options["python"], folder)
        answering: ModelProvider = registry.load("provider", "python")(function)
        return answering
    plugin = registry.load("provider", model.provider, folder)
    options = {name: value for name, value in model.options.items() if name != "folder"}
    custom: ModelProvider = plugin(model, **options)
    return custom


def _recorded(
    model: Model, registry: Registry, folder: Path, positions: Callable[[], dict[str, int]]
) -> ModelProvider:
    options = model.options
    path = str(options["outputs"])
    loader = build_loader(registry, _format_of(path), _file_arguments(path, options.get("at")), folder)
    fields = {name: value for name, value in options.items() if name not in {"outputs", "at", "folder"}}
    in_order = None if "id" in fields else positions()
    recorded: Any = registry.load("provider", "outputs")(
        loader, fields, path, in_order, inline=model.inline_reasoning
    )
    recorded.load()
    provider: ModelProvider = recorded
    return provider


def _format_of(path: str) -> str:
    name = path.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    if suffix == ".parquet":
        return "parquet"
    if suffix not in _TEXT_FORMATS:
        known = ", ".join([*_TEXT_FORMATS, ".parquet"])
        raise UsageError(f"outputs: the suffix of {path} names no format", hint=f"known: {known}")
    return _TEXT_FORMATS[suffix]


def _file_arguments(path: str, at: str | None) -> Json:
    return {"path": path} if at is None else {"path": path, "at": at}


def build_loader(registry: Registry, name: str, arguments: Json, folder: Path) -> DatasetLoader:
    """Return a loader, file names resolved against the spec's folder.

    Raises:
        UsageError: When it does not exist or its arguments do not fit.
    """
    loader: DatasetLoader = build(registry.load("loader", name, folder), arguments, folder)
    return loader
