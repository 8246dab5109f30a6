"""The pydantic models of an eval spec: strict, and every key that is not known is an error."""

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from regrade.spec.gates import GateSpec
from regrade.types import Endpoint, Json, JsonObject

__all__ = [
    "DatasetSpec",
    "EvalSpec",
    "FewShotSpec",
    "MessageSpec",
    "ModelSpec",
    "Parameters",
    "PluginUse",
    "PriceSpec",
    "PromptSpec",
    "ScorerUse",
    "Strict",
]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_./-]*$"
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
_COMPRESSED = (".gz",)


class Strict(BaseModel):
    """The base of all: no unknown keys, no conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PluginUse(Strict):
    """A plug-in by name with its arguments; arguments that are no mapping go to its first field."""

    name: str
    arguments: Json = None


def _plugin_use(value: Any) -> Any:
    if isinstance(value, PluginUse):
        return value
    name, arguments = _one_use(value)
    return {"name": name, "arguments": arguments}


def _one_use(value: Any) -> tuple[str, Json]:
    if isinstance(value, str):
        return value, None
    if isinstance(value, dict) and len(value) == 1:
        name, arguments = next(iter(value.items()))
        if isinstance(name, str):
            return name, arguments
    raise PydanticCustomError("plugin_use", "must be a name, or one name with its arguments")


def _use_list(value: Any) -> Any:
    """Turn a bare name or a mapping of several uses into the list form."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [{name: arguments} for name, arguments in value.items()]
    return value


def _text_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


AnyPluginUse = Annotated[PluginUse, BeforeValidator(_plugin_use, json_schema_input_type=str | dict[str, Any])]
PluginUses = Annotated[
    list[AnyPluginUse],
    BeforeValidator(_use_list, json_schema_input_type=str | dict[str, Any] | list[AnyPluginUse]),
]


class ScorerUse(PluginUse):
    """A scorer with what every scorer takes beside its own arguments.

    Attributes:
        title: What tables call it; default the scorer's name.
        extract: Steps that find the answer in the text.
        normalize: Steps that both answer and target go through.
        metrics: How its scores are aggregated; default the spec's, then the scorer's own.
    """

    title: str
    extract: Json = None
    normalize: Json = None
    metrics: PluginUses | None = None


def _scorer_use(value: Any) -> Any:
    if isinstance(value, ScorerUse):
        return value
    name, arguments = _one_use(value)
    shared: JsonObject = {}
    if isinstance(arguments, dict):
        shared = {key: arguments[key] for key in ("extract", "normalize", "metrics") if key in arguments}
        title = arguments.get("name")
        arguments = {key: item for key, item in arguments.items() if key not in shared and key != "name"}
    else:
        title = None
    default = name if name != "python" else str(_first(arguments)).rpartition(":")[2]
    return {"name": name, "arguments": arguments or None, "title": title or default, **shared}


def _first(arguments: Json) -> Json:
    return next(iter(arguments.values()), "python") if isinstance(arguments, dict) else arguments


AnyScorerUse = Annotated[ScorerUse, BeforeValidator(_scorer_use, json_schema_input_type=str | dict[str, Any])]
ScorerUses = Annotated[
    list[AnyScorerUse],
    BeforeValidator(_use_list, json_schema_input_type=str | dict[str, Any] | list[AnyScorerUse]),
]
TextList = Annotated[list[str], BeforeValidator(_text_list, json_schema_input_type=str | list[str])]


class Parameters(Strict):
    """Generation parameters exactly as the API takes them."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop: str | list[str] | None = None
    seed: int | None = None
    stream: bool | None = None
    extra_body: JsonObject | None = None


class PriceSpec(Strict):
    """US dollars per million tokens."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class ModelSpec(Strict):
    """A model: an id, or a table that says where it answers.

    Attributes:
        name: What tables call it; default the id. A glob
            (`google/*`) takes every model that the endpoint lists.
        model: The id that is sent; default the name.
        base_url: Of an OpenAI-compatible API; default from the environment.
        api_key_env: The environment variable that holds the key.
        endpoint: `chat` or `completions`.
        stream: Whether answers are streamed.
        parameters: Over the spec's.
        price: Per million tokens.
        context_window: In tokens.
        max_connections: Requests in flight to this model.
        rpm: Requests a minute that the endpoint allows.
        tpm: Tokens a minute that it allows, prompt and answer together.
        outputs: A file of recorded answers, in place of an endpoint.
        at: Where in that file the rows are.
        id: Column or template of the sample's id in it; without it rows answer samples in order.
        text: Column or template of the answer in it.
        where: Expression; rows for which it is false are left out.
        reasoning: Column or template.
        finish_reason: Column or template.
        prompt_tokens: Column or template.
        completion_tokens: Column or template.
        latency_s: Column or template.
        python: `file.py:function` that answers, in place of an endpoint.
        provider: Another provider plug-in.
        options: Its arguments.
    """

    name: str = Field(min_length=1)
    model: str | None = None
    base_url: str | None = Field(default=None, pattern=r"^https?://")
    api_key_env: str | None = None
    endpoint: Endpoint = "chat"
    stream: bool | None = None
    parameters: Parameters = Parameters()
    price: PriceSpec | None = None
    context_window: int | None = Field(default=None, ge=1)
    max_connections: int | None = Field(default=None, ge=1)
    rpm: float | None = Field(default=None, gt=0)
    tpm: float | None = Field(default=None, gt=0)
    outputs: str | None = None
    at: str | None = None
    id: str | None = None
    text: str | None = None
    where: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    prompt_tokens: str | None = None
    completion_tokens: str | None = None
    latency_s: str | None = None
    python: str | None = None
    provider: str | None = None
    options: JsonObject = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _named_by_id(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if "api_key" in value:
                raise PydanticCustomError(
                    "literal_key",
                    "a key never stands in a file: name its environment variable with `api_key_env`",
                )
            if "name" not in value and isinstance(value.get("model"), str):
                return {**value, "name": value["model"]}
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [key for key in ("base_url", "outputs", "python", "provider") if getattr(self, key)]
        if len(sources) > 1:
            raise PydanticCustomError(
                "two_sources", "has both {a} and {b}; a model has one", {"a": sources[0], "b": sources[1]}
            )
        if self.base_url and "@" in self.base_url.split("//", 1)[1].partition("/")[0]:
            raise PydanticCustomError(
                "url_key",
                "holds a user or key in `base_url`; keys go into a variable that `api_key_env` names",
            )
        if self.outputs and not self.text:
            raise PydanticCustomError(
                "no_text", "needs `text`: the column or template of the recorded answer"
            )
        recorded = (
            "at",
            "id",
            "text",
            "where",
            "reasoning",
            "finish_reason",
            "prompt_tokens",
            "completion_tokens",
            "latency_s",
        )
        stray = [key for key in recorded if getattr(self, key) and not self.outputs]
        if stray:
            raise PydanticCustomError("no_outputs", "has `{key}` without `outputs`", {"key": stray[0]})
        return self


def _model_table(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class DatasetSpec(Strict):
    """Which rows, and how a row becomes a sample.

    Attributes:
        loader: The loader's name.
        arguments: Its arguments; a scalar goes to its first field.
        id: Column, template, or the word `row`.
        input: Column or template, or a list or mapping of these.
        target: Likewise.
        metadata: Columns to keep, `"*"` for all that have no other use, or names with templates.
        where: Expression; rows for which it is false are left out.
        shuffle: Seed of a shuffle; true is seed 0.
        limit: A count, or a fraction below 1.
    """

    loader: str
    arguments: Json = None
    id: str | None = None
    input: Json = None
    target: Json = None
    metadata: list[str] | dict[str, Json] | Literal["*"] | None = None
    where: str | None = None
    shuffle: int | bool | None = None
    limit: int | float | None = None

    @field_validator("limit")
    @classmethod
    def _count_or_fraction(cls, value: float | None) -> float | None:
        if value is None or (isinstance(value, int) and value >= 1) or 0 < value < 1:
            return value
        raise PydanticCustomError("limit", "must be a count of at least 1, or a fraction between 0 and 1")


_DATASET_FIELDS = frozenset(DatasetSpec.model_fields) - {"loader", "arguments"}


def _dataset_table(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, DatasetSpec):
        return value
    table = {"path": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise PydanticCustomError("dataset", "must be the name of a file, or a mapping")
    if "path" in table:
        rest = {key: item for key, item in table.items() if key != "path"}
        return {**rest, "loader": loader_of_path(table["path"]), "arguments": table["path"]}
    known = (info.context or {}).get("loader", ())
    named = [
        key for key in table if key not in _DATASET_FIELDS and (not known or key in known or ".py:" in key)
    ]
    if len(named) != 1:
        message = (
            "needs one source of rows: `path`, or one loader"
            if not named
            else f"has more than one source of rows: {', '.join(named)}"
        )
        raise PydanticCustomError("dataset", "{message}", {"message": message})
    rest = {key: item for key, item in table.items() if key != named[0]}
    return {**rest, "loader": named[0], "arguments": table[named[0]]}


def loader_of_path(path: Any) -> str:
    """Return the loader for a file by its suffix.

    Raises:
        PydanticCustomError: When the suffix says nothing.
    """
    if not isinstance(path, str):
        raise PydanticCustomError("dataset_path", "`path` must be the name of a file")
    name = path.lower()
    for compressed in _COMPRESSED:
        name = name.removesuffix(compressed)
    for suffix, loader in _SUFFIXES.items():
        if name.endswith(suffix):
            return loader
    message = f"the suffix of {path} names no format; name the loader, such as `jsonl: {{path: {path}}}`"
    raise PydanticCustomError("dataset_suffix", "{message}", {"message": message})


AnyDataset = Annotated[
    DatasetSpec, BeforeValidator(_dataset_table, json_schema_input_type=str | dict[str, Any])
]


class MessageSpec(Strict):
    """One chat message."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str


class FewShotSpec(Strict):
    """Worked examples before the question.

    Attributes:
        dataset: Where they come from; a file, or a mapping like the spec's.
        split: Another split of the spec's own Hugging Face dataset.
        count: How many.
        seed: Of the draw; the same for every request.
        form: (`as` in YAML) as chat turns, or as one text placed by `{{ few_shot }}`.
        user: Template of an example's question as a turn.
        assistant: Template of an example's answer as a turn.
        template: Template of one example as text.
    """

    dataset: AnyDataset | None = None
    split: str | None = None
    count: int = Field(default=3, ge=1)
    seed: int = 0
    form: Literal["turns", "text"] = Field(default="turns", alias="as")
    user: str | None = None
    assistant: str = "{{ target }}"
    template: str = "{{ input }}\n{{ target }}\n\n"

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.dataset is None) == (self.split is None):
            raise PydanticCustomError("few_shot_source", "needs either `dataset` or `split`")
        return self


class PromptSpec(Strict):
    """One prompt: a user message, system and user, whole messages, or a text for completions."""

    system: str | None = None
    user: str | None = None
    messages: list[MessageSpec] | None = None
    text: str | None = None
    few_shot: FewShotSpec | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [self.user is not None, self.messages is not None, self.text is not None]
        if sum(forms) != 1:
            raise PydanticCustomError("prompt_form", "needs exactly one of `user`, `messages` and `text`")
        if self.system is not None and self.user is None:
            raise PydanticCustomError("prompt_system", "`system` goes with `user`")
        return self


def _prompt_table(value: Any) -> Any:
    return {"user": value} if isinstance(value, str) else value


AnyModel = Annotated[ModelSpec, BeforeValidator(_model_table, json_schema_input_type=str | ModelSpec)]
AnyPrompt = Annotated[PromptSpec, BeforeValidator(_prompt_table, json_schema_input_type=str | PromptSpec)]
Models = Annotated[
    list[AnyModel],
    BeforeValidator(_text_list, json_schema_input_type=str | list[AnyModel]),
]
Scalar: TypeAlias = str | int | float | bool


class EvalSpec(Strict):
    """One evaluation: a dataset, prompts, models, scorers.

    Attributes:
        name: What tables call it.
        description: For people.
        tags: For people and filters.
        dataset: The rows.
        models: Who answers.
        prompts: By name; a single `prompt` is named "default".
        parameters: Of generation, for all models.
        matrix: Variables; every prompt once for each combination.
        vars: Constants for templates.
        epochs: How often each sample is asked.
        scorers: How answers are judged.
        metrics: How scores are aggregated, for scorers that have none of their own.
        cluster: Metadata name, column or template of what samples share; standard errors respect it.
        slices: Metadata names; metrics also for each of their values.
        gate: What must hold for a run to pass.
    """

    name: str = Field(pattern=_NAME)
    description: str = ""
    tags: TextList = Field(default_factory=list)
    dataset: AnyDataset
    models: Models = Field(default_factory=list)
    prompts: dict[str, AnyPrompt] = Field(min_length=1)
    parameters: Parameters = Parameters()
    matrix: dict[str, list[Scalar]] = Field(default_factory=dict)
    vars: JsonObject = Field(default_factory=dict)
    epochs: int = Field(default=1, ge=1)
    scorers: ScorerUses = Field(min_length=1)
    metrics: (
        Annotated[
            list[AnyPluginUse],
            BeforeValidator(_use_list, json_schema_input_type=str | dict[str, Any] | list[AnyPluginUse]),
        ]
        | None
    ) = None
    cluster: str | None = None
    slices: TextList = Field(default_factory=list)
    gate: GateSpec | None = None

    @model_validator(mode="before")
    @classmethod
    def _single_prompt(cls, value: Any) -> Any:
        if isinstance(value, dict) and "prompt" in value:
            if "prompts" in value:
                raise PydanticCustomError("both_prompts", "has both `prompt` and `prompts`; keep one")
            rest = {key: item for key, item in value.items() if key != "prompt"}
            return {**rest, "prompts": {"default": value["prompt"]}}
        return value

    @model_validator(mode="after")
    def _unique_titles(self) -> Self:
        titles = [use.title for use in self.scorers]
        twice = next((title for title in titles if titles.count(title) > 1), None)
        if twice:
            raise PydanticCustomError(
                "same_title", 'two scorers are called "{title}"; give one a `name`', {"title": twice}
            )
        return self
