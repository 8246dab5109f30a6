"""What there is: plug-ins, models of an endpoint, the schema of a spec."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regrade.api.datasets import dataset_name
from regrade.api.endpoints import key_told, model_at, with_url
from regrade.api.models import Resolver
from regrade.api.options import environment
from regrade.api.providers import build_provider
from regrade.api.specs import load_specs
from regrade.errors import MissingExtraError, ProviderError, UsageError
from regrade.http import HttpSession
from regrade.plugins import Kind, Registry
from regrade.protocols import ListsModels
from regrade.spec import argument_schema, json_schema
from regrade.types import JsonObject, Model, ModelInfo

__all__ = ["Suite", "endpoint_models", "inventory", "spec_schema", "suites"]


def inventory(kind: Kind, registry: Registry | None = None) -> dict[str, str]:
    """Return the plug-ins of a kind: name to the first line of what they say of themselves."""
    registry = registry or Registry()
    found = {}
    for name in registry.names(kind):
        try:
            doc = registry.load(kind, name).__doc__ or ""
        except MissingExtraError as error:
            doc = error.hint or ""
        found[name] = doc.strip().partition("\n")[0]
    return found


def spec_schema(registry: Registry | None = None) -> JsonObject:
    """Return the JSON Schema of a spec file, arguments of all plug-ins included."""
    registry = registry or Registry()
    kinds: tuple[Kind, ...] = ("scorer", "metric", "loader")
    return json_schema(
        {
            kind: {name: argument_schema(registry.load(kind, name)) for name in registry.names(kind)}
            for kind in kinds
        }
    )


def endpoint_models(
    base_url: str | None = None, api_key_env: str | None = None, registry: Registry | None = None
) -> tuple[str, Sequence[ModelInfo]]:
    """Return an endpoint's address and the models that it lists.

    Args:
        base_url: Default from the environment.
        api_key_env: The environment variable that holds the key.
        registry: Plug-ins, when the caller adds its own.

    Raises:
        UsageError: No key, or an address that is none.
        ProviderError: The endpoint does not answer, or refuses the key.
    """
    env = environment()
    chosen = registry or Registry()

    async def ask() -> tuple[str, Sequence[ModelInfo]]:
        async with HttpSession() as session:
            model = model_at("*", base_url, api_key_env, Resolver(env, None, _never))
            provider = build_provider(model, chosen, session, env, dict)
            assert isinstance(provider, ListsModels)
            try:
                with key_told(model):
                    return str(model.base_url), await provider.list_models()
            except ProviderError as error:
                raise with_url(error, model) from error

    return asyncio.run(ask())


async def _never(model: Model) -> Sequence[ModelInfo]:
    raise UsageError(f"{model.name} is no glob")


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite as its spec describes it."""

    path: Path
    name: str
    dataset: str
    models: tuple[str, ...]
    scorers: tuple[str, ...]


def suites(paths: Sequence[Path], registry: Registry | None = None) -> list[Suite]:
    """Return the suites of files and folders, without reading a dataset.

    Raises:
        SpecError: The problems of all files at once.
    """
    files = load_specs(paths, registry or Registry())
    return [
        Suite(
            file.path,
            file.spec.name,
            dataset_name(file.spec.dataset, file.folder_of(("dataset",))),
            tuple(model.name for model in file.spec.models),
            tuple(use.title for use in file.spec.scorers),
        )
        for file in files
    ]
