"""From the models that a spec lists to models with an address."""

import fnmatch
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from regrade.errors import SpecError, UsageError, did_you_mean
from regrade.spec import ModelSpec, SpecFile
from regrade.types import JsonObject, Model, ModelInfo, Price

__all__ = ["DEMO", "OPENAI", "Cast", "Resolver", "check_demo_models", "checked_url", "is_demo", "lists_demo"]

DEMO = "demo/"
OPENAI = "https://api.openai.com/v1"
_NAMED = 8
_RECORDED = (
    "text",
    "tool_calls",
    "id",
    "where",
    "reasoning",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "latency_s",
)

ListModels = Callable[[Model], Awaitable[Sequence[ModelInfo]]]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part in a run.

    Attributes:
        models: Eval to the models that answer, each with its address.
        judges: Name to the models that scorers ask.
    """

    models: Mapping[str, Sequence[Model]]
    judges: Mapping[str, Model]


def is_demo(name: str) -> bool:
    """Return whether a name means a model that the embedded gateway serves."""
    return name.startswith(DEMO)


def lists_demo(specs: Iterable[SpecFile], chosen: Sequence[str] | None) -> bool:
    """Return whether any model that is to be asked is served by the embedded gateway."""
    names = [model.model or model.name for file in specs for model in file.spec.models if not model.base_url]
    judges = [
        use.arguments["model"]
        for file in specs
        for use in file.spec.scorers
        if isinstance(use.arguments, dict) and isinstance(use.arguments.get("model"), str)
    ]
    return any(is_demo(name) for name in [*(names if chosen is None else chosen), *judges])


def check_demo_models(file: SpecFile) -> None:
    """Refuse listed demo models that are not shipped.

    Raises:
        SpecError: Naming each, with its place in the spec.
    """
    from regrade.gateway.models import demo_models

    shipped = [model.id for model in demo_models()]
    problems = []
    for place, model in enumerate(file.spec.models):
        name = model.model or model.name
        own = model.base_url or model.provider or model.outputs or model.python
        if is_demo(name) and not own and not _is_glob(name) and name not in shipped:
            hint = did_you_mean(name, shipped) or f"shipped are {', '.join(shipped)}"
            problems.append(file.problem(("models", place), f'there is no demo model "{name}"', hint))
    if problems:
        raise SpecError(problems)


@dataclass(frozen=True, slots=True)
class Resolver:
    """Gives models their address and checks that their keys are there.

    Attributes:
        env: Environment variables.
        demo_url: Base URL of the running embedded gateway; None when none runs.
        list_models: Asks an endpoint for its models, for globs.
        offline: Whether nothing is sent, so that no key is needed.
    """

    env: Mapping[str, str]
    demo_url: str | None
    list_models: ListModels
    offline: bool = False

    async def models_of(self, file: SpecFile, chosen: Sequence[str] | None) -> list[Model]:
        """Return the models that an eval is to ask, under unique names.

        Raises:
            SpecError, UsageError: No models, a glob that fits none, a key that is not set.
            ProviderError: An endpoint that cannot list its models.
        """
        listed = file.spec.models
        wanted = listed if chosen is None else _choose(listed, chosen)
        if not wanted:
            raise UsageError(
                f"{file.path}: no models", hint="list them under `models:`, or name some with --models"
            )
        stream = bool(file.spec.parameters.stream)
        found: list[Model] = []
        for spec in wanted:
            try:
                found += await self._expand(spec, file, stream=stream)
            except UsageError as error:
                raise _or_meant(error, spec, listed) from error
        unique = {model.name: model for model in reversed(found)}
        return [model for name, model in reversed(unique.items())]

    async def _expand(self, spec: ModelSpec, file: SpecFile, *, stream: bool) -> list[Model]:
        if not _is_glob(spec.name) or spec.outputs or spec.python:
            return [self.model_of(spec, file, stream=stream)]
        pattern = spec.name
        template = self.model_of(spec, file, stream=stream)
        offered = [info for info in await self.list_models(template) if fnmatch.fnmatchcase(info.id, pattern)]
        if not offered:
            raise UsageError(
                f'no model of {template.base_url} fits "{pattern}"', hint="`regrade models` lists them"
            )
        return [
            self.model_of(
                spec.model_copy(
                    update={"name": info.id, "context_window": spec.context_window or info.context_window}
                ),
                file,
                stream=stream,
            )
            for info in offered
        ]

    def model_of(self, spec: ModelSpec, file: SpecFile | None = None, *, stream: bool = False) -> Model:
        """Return one model with its address.

        Raises:
            UsageError: When its key is not set.
        """
        id_ = spec.model or spec.name
        provider, base_url, identity, key_env, options = self._address(spec, id_, file)
        if key_env and spec.api_key_env and not self.env.get(key_env) and not self.offline:
            raise UsageError(
                f'the key of model "{spec.name}" is not set: environment variable {key_env}',
                hint=f"export {key_env}=..., or put it into a file named .env",
            )
        wished = spec.stream if spec.stream is not None else spec.parameters.stream
        return Model(
            name=spec.name,
            id=id_,
            provider=provider,
            base_url=base_url,
            identity=identity,
            api_key_env=key_env,
            endpoint=spec.endpoint,
            stream=stream if wished is None else wished,
            params=spec.parameters.sent(),
            price=Price(spec.price.prompt, spec.price.completion) if spec.price else None,
            context_window=spec.context_window,
            max_connections=spec.max_connections,
            rpm=spec.rpm,
            tpm=spec.tpm,
            inline_reasoning=spec.inline_reasoning,
            options=options,
        )

    def _address(
        self, spec: ModelSpec, id_: str, file: SpecFile | None
    ) -> tuple[str, str | None, str, str | None, JsonObject]:
        folder = str(file.path.parent) if file else "."
        if spec.outputs:
            fields = {name: getattr(spec, name) for name in _RECORDED if getattr(spec, name) is not None}
            options = {"outputs": spec.outputs, "at": spec.at, "folder": folder, **fields}
            return "outputs", None, f"outputs:{spec.outputs}", None, options
        if spec.python:
            return "python", None, f"python:{spec.python}", None, {"python": spec.python, "folder": folder}
        if spec.provider:
            return spec.provider, None, f"{spec.provider}:", None, {**spec.options, "folder": folder}
        if spec.base_url:
            url = spec.base_url.rstrip("/")
            return "openai", url, url, spec.api_key_env, {}
        if is_demo(id_):
            from regrade.gateway.models import demo_models

            if not _is_glob(id_):
                demo_models([id_])
            return "openai", self.demo_url, "demo:", None, {}
        url, key_env = self._from_environment(id_)
        return "openai", url, url, spec.api_key_env or key_env, {}

    def _from_environment(self, id_: str) -> tuple[str, str | None]:
        """Return base URL and the key's variable: by the id's first segment where set, else OpenAI's."""
        prefix = re.sub(r"[^A-Z0-9]", "_", id_.partition("/")[0].upper())
        own = self.env.get(f"{prefix}_BASE_URL")
        if own:
            key_env = f"{prefix}_API_KEY"
            return checked_url(own, f"{prefix}_BASE_URL"), key_env if self.env.get(key_env) else None
        url = checked_url(self.env.get("OPENAI_BASE_URL") or OPENAI, "OPENAI_BASE_URL")
        if self.env.get("OPENAI_API_KEY"):
            return url, "OPENAI_API_KEY"
        if url == OPENAI and not self.offline:
            raise UsageError(
                f'no key for model "{id_}": OPENAI_API_KEY is not set',
                hint="set it, or OPENAI_BASE_URL to another endpoint, or use a model without key: demo/v2",
            )
        return url, None


def checked_url(url: str, source: str) -> str:
    """Return a base URL without its last slash.

    Args:
        url: As the user wrote it.
        source: The variable or option it stands in.

    Raises:
        UsageError: No scheme, no host, or a password in it.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{source} needs http:// or https://", hint=f"such as: http://{url}")
    if "@" in url.split("//", 1)[1].partition("/")[0]:
        raise UsageError(f"{source} holds a user or key in the URL", hint="keys go into ..._API_KEY")
    return url.rstrip("/")


def _or_meant(error: UsageError, spec: ModelSpec, listed: Sequence[ModelSpec]) -> UsageError:
    """Return why a model cannot be asked; one that the spec does not list may be a slip of the pen."""
    names = [one.name for one in listed]
    if not names or spec.name in names or "did you mean" in (error.hint or ""):
        return error
    near = did_you_mean(spec.name, names) or f"it lists {', '.join(names[:_NAMED])}"
    more = ", ..." if "it lists" in near and len(names) > _NAMED else ""
    hints = [f'the spec lists no model "{spec.name}": {near}{more}', error.hint]
    return UsageError(error.message, where=error.where, hint="\n  ".join(one for one in hints if one))


def _is_glob(name: str) -> bool:
    return any(char in name for char in "*?[")


def _choose(listed: Sequence[ModelSpec], chosen: Sequence[str]) -> list[ModelSpec]:
    """Return the listed models of those names or globs; a name that is not listed is a model's id."""
    found: list[ModelSpec] = []
    for name in chosen:
        matching = [spec for spec in listed if fnmatch.fnmatchcase(spec.name, name)]
        found += matching or [ModelSpec(name=name)]
    return found
