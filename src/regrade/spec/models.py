"""The models of a spec."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from regrade.spec.parameters import Parameters
from regrade.spec.strict import Strict, text_list
from regrade.types import Endpoint, JsonObject

__all__ = ["AnyModel", "ModelSpec", "Models", "PriceSpec"]


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
        inline_reasoning: False leaves `<think>...</think>` at the start of an answer in its text;
            by default it goes with the reasoning that endpoints send apart.
        outputs: A file of recorded answers, in place of an endpoint.
        at: Where in that file the rows are.
        id: Column or template of the sample's id in it; without it rows answer samples in order.
        text: Column or template of the answer in it.
        tool_calls: Column or template of the calls of tools in it.
        where: Expression; rows for which it is false are left out.
        reasoning: Column or template.
        finish_reason: Column or template.
        prompt_tokens: Column or template.
        completion_tokens: Column or template.
        reasoning_tokens: Column or template.
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
    inline_reasoning: bool = True
    outputs: str | None = None
    at: str | None = None
    id: str | None = None
    text: str | None = None
    tool_calls: str | None = None
    where: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    prompt_tokens: str | None = None
    completion_tokens: str | None = None
    reasoning_tokens: str | None = None
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
        if self.outputs and not (self.text or self.tool_calls):
            raise PydanticCustomError(
                "no_text", "needs `text` or `tool_calls`: the column or template of the recorded answer"
            )
        recorded = (
            "at",
            "id",
            "text",
            "tool_calls",
            "where",
            "reasoning",
            "finish_reason",
            "prompt_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "latency_s",
        )
        stray = [key for key in recorded if getattr(self, key) and not self.outputs]
        if stray:
            raise PydanticCustomError("no_outputs", "has `{key}` without `outputs`", {"key": stray[0]})
        return self


def _model_table(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


AnyModel = Annotated[ModelSpec, BeforeValidator(_model_table, json_schema_input_type=str | ModelSpec)]
Models = Annotated[
    list[AnyModel],
    BeforeValidator(text_list, json_schema_input_type=str | list[AnyModel]),
]
