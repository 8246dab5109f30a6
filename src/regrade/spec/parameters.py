"""Generation parameters, tools and the form of answers among them."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from regrade.spec.strict import Strict
from regrade.types import Json, JsonObject

__all__ = ["ONE_ANSWER", "FunctionSpec", "Parameters", "ResponseFormat", "SchemaSpec", "ToolSpec"]

_FUNCTION = r"^[A-Za-z0-9_.-]{1,64}$"
ONE_ANSWER = "a request has one answer; to ask N times, say `epochs: N` beside `parameters`"
_CHOICES = ("none", "auto", "required")


def _json_schema(value: JsonObject | None) -> JsonObject | None:
    """Refuse what is no JSON Schema, with the place in it."""
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    if value is None:
        return value
    try:
        validator_for(value, default=Draft202012Validator).check_schema(value)
    except SchemaError as error:
        message = f"is no valid JSON Schema: {error.json_path}: {error.message}"
        raise PydanticCustomError("json_schema", "{message}", {"message": message}) from error
    return value


class FunctionSpec(Strict):
    """A function that a model may call.

    Attributes:
        name: What the model calls it.
        description: For the model.
        parameters: JSON Schema of its arguments.
        strict: Whether the endpoint is to enforce that schema.
    """

    name: str = Field(pattern=_FUNCTION)
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None

    @field_validator("parameters")
    @classmethod
    def _is_schema(cls, value: JsonObject | None) -> JsonObject | None:
        return _json_schema(value)


class ToolSpec(Strict):
    """A tool as the API has it; only functions are known."""

    type: Literal["function"] = "function"
    function: FunctionSpec


def _tool(value: Any) -> Any:
    """Return a function without its wrapper in it."""
    if isinstance(value, dict) and "name" in value and "function" not in value:
        return {"type": "function", "function": {key: item for key, item in value.items() if key != "type"}}
    return {"type": "function", **value} if isinstance(value, dict) else value


AnyTool = Annotated[ToolSpec, BeforeValidator(_tool, json_schema_input_type=ToolSpec | FunctionSpec)]


def _as_it_is(value: Any) -> Any:
    """Take what was read from the file that the spec names."""
    return value


Tools = Annotated[list[AnyTool], BeforeValidator(_as_it_is, json_schema_input_type=str | list[AnyTool])]
AnyJsonSchema = Annotated[JsonObject, BeforeValidator(_as_it_is, json_schema_input_type=str | JsonObject)]


class SchemaSpec(Strict):
    """The JSON Schema that answers keep to.

    Attributes:
        name: What the endpoint calls it.
        description: For the model.
        form: (`schema` in YAML) the schema.
        strict: Whether the endpoint is to enforce it.
    """

    name: str = Field(default="answer", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    description: str | None = None
    form: AnyJsonSchema = Field(alias="schema")
    strict: bool | None = None

    @field_validator("form")
    @classmethod
    def _is_schema(cls, value: JsonObject) -> JsonObject | None:
        return _json_schema(value)


class ResponseFormat(Strict):
    """The form that answers are to have."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaSpec | None = None

    @model_validator(mode="after")
    def _schema_with_its_type(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise PydanticCustomError(
                "response_format", "has `json_schema` together with `type: json_schema`, never alone"
            )
        return self


def _response_format(value: Any) -> Any:
    """Spell out the short forms: a bare type, and a schema without its wrappers."""
    if isinstance(value, str):
        return {"type": value}
    if isinstance(value, dict) and "schema" in value:
        named = {"name": "answer", **{key: item for key, item in value.items() if key != "type"}}
        return {"type": value.get("type", "json_schema"), "json_schema": named}
    inner = value.get("json_schema") if isinstance(value, dict) else None
    if isinstance(inner, dict):
        return {"type": "json_schema", **value, "json_schema": {"name": "answer", **inner}}
    return value


AnyFormat = Annotated[
    ResponseFormat,
    BeforeValidator(
        _response_format, json_schema_input_type=ResponseFormat | SchemaSpec | Literal["text", "json_object"]
    ),
]


def _tool_choice(value: Any) -> Any:
    """Return the choice as the API has it; any other word is the name of a function."""
    if value is None or value in _CHOICES:
        return value
    if isinstance(value, str):
        return {"type": "function", "function": {"name": value}}
    function = value.get("function") if isinstance(value, dict) else None
    if isinstance(function, dict) and isinstance(function.get("name"), str):
        return {"type": "function", **value}
    raise PydanticCustomError(
        "tool_choice", "must be none, auto, required or the name of a function, not {value}", {"value": value}
    )


Choice = Annotated[Json, BeforeValidator(_tool_choice, json_schema_input_type=str | dict[str, Any] | None)]


class Parameters(Strict):
    """Generation parameters as the API takes them; null in a model's takes the spec's away.

    Attributes:
        temperature: Of sampling.
        max_tokens: Of the answer.
        max_completion_tokens: Of answer and reasoning, for endpoints that want this name.
        top_p: Of sampling.
        stop: Where answers end.
        seed: Each request sends one derived from it, the sample and the epoch.
        frequency_penalty: Against words said often.
        presence_penalty: Against words said at all.
        reasoning_effort: How long the model is to think.
        tools: Functions that the model may call, or the JSON or YAML file that lists them.
        tool_choice: `none`, `auto`, `required`, or the name of the function to call.
        parallel_tool_calls: Whether one answer may hold several calls.
        response_format: `json_object`, or `{schema: ...}` with a JSON Schema or its file, or as in the API.
        stream: Whether answers are streamed.
        extra_body: Other fields of the API, sent as they are.
    """

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    top_p: float | None = Field(default=None, ge=0, le=1)
    stop: str | list[str] | None = None
    seed: int | None = None
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    reasoning_effort: (
        Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", "default"] | None
    ) = None
    tools: Tools | None = None
    tool_choice: Choice = None
    parallel_tool_calls: bool | None = None
    response_format: AnyFormat | None = None
    stream: bool | None = None
    extra_body: JsonObject | None = None

    @field_validator("extra_body")
    @classmethod
    def _one_answer(cls, value: Any) -> Any:
        if isinstance(value, dict) and "n" in value:
            raise PydanticCustomError("several_answers", "holds `n`: {hint}", {"hint": ONE_ANSWER})
        return value

    @field_validator("tools")
    @classmethod
    def _names_differ(cls, value: list[ToolSpec] | None) -> list[ToolSpec] | None:
        names = [tool.function.name for tool in value or ()]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise PydanticCustomError("same_tool", 'has two functions "{name}"', {"name": twice})
        if value is not None and not names:
            raise PydanticCustomError("no_tools", "must not be empty")
        return value

    def sent(self) -> JsonObject:
        """Return what goes into requests: the fields that were written, `extra_body` among them."""
        own = self.model_dump(exclude_unset=True, by_alias=True, exclude={"stream", "extra_body"})
        return {**own, **(self.extra_body or {})}
