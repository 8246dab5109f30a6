"""The prompts of a spec."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from regrade.spec.datasets import AnyDataset
from regrade.spec.strict import Strict
from regrade.types import JsonObject

__all__ = ["AnyPrompt", "CallSpec", "FewShotSpec", "MessageSpec", "PartSpec", "PromptSpec"]


class PartSpec(Strict):
    """A part of a message: text, an image or a sound.

    Attributes:
        text: Template.
        image: Column or `{{ expression }}`: the path of a file, an address, a data URL or bytes.
        audio: Likewise, but no address.
        format: Of the sound, such as `wav`; default that of its content.
        detail: How closely the image is to be looked at.
        folder: Where paths begin, and below which they stay; default the dataset's folder.
        max_mb: Larger files are refused.
    """

    text: str | None = None
    image: str | None = None
    audio: str | None = None
    format: Literal["wav", "mp3", "flac", "ogg", "m4a", "aac"] | None = None
    detail: Literal["auto", "low", "high"] | None = None
    folder: str | None = None
    max_mb: float = Field(default=20, gt=0)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("text", "image", "audio") if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise PydanticCustomError("part", "needs exactly one of `text`, `image` and `audio`")
        for name, kind in (("format", "audio"), ("detail", "image")):
            if getattr(self, name) is not None and kind not in kinds:
                raise PydanticCustomError("part", "`{name}` goes with `{kind}`", {"name": name, "kind": kind})
        if kinds == ["text"] and self.model_fields_set & {"folder", "max_mb"}:
            raise PydanticCustomError("part", "`folder` and `max_mb` go with `image` or `audio`")
        return self


def _parts(value: Any) -> Any:
    return [{"text": value}] if isinstance(value, str) else value


Content = Annotated[list[PartSpec], BeforeValidator(_parts, json_schema_input_type=str | list[PartSpec])]


class CallSpec(Strict):
    """A call of a tool in an earlier turn of the assistant.

    Attributes:
        id: What the message with its result refers to; template.
        name: Of the function; template.
        arguments: By name, texts in them are templates; or JSON text, a template.
    """

    id: str
    name: str
    arguments: JsonObject | str = Field(default_factory=dict)


def _call(value: Any) -> Any:
    """Return the API's own form without its wrapper."""
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        rest = {key: item for key, item in value.items() if key not in {"type", "function"}}
        return {**rest, **value["function"]}
    return value


AnyCall = Annotated[CallSpec, BeforeValidator(_call, json_schema_input_type=CallSpec | dict[str, Any])]


class MessageSpec(Strict):
    """One chat message, or the messages that a column of the dataset holds.

    Attributes:
        role: Who speaks.
        content: Template, or a list of parts.
        name: Of the speaker; template.
        tool_calls: Which the assistant made.
        tool_call_id: Of the call that a message of the role `tool` answers; template.
        conversation: Column or `{{ expression }}` of a list of messages; it stands alone.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"] | None = None
    content: Content | None = None
    name: str | None = None
    tool_calls: list[AnyCall] | None = None
    tool_call_id: str | None = None
    conversation: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.conversation is not None:
            if self.model_fields_set != {"conversation"}:
                raise PydanticCustomError("conversation", "`conversation` stands alone in its item")
            return self
        if self.role is None:
            raise PydanticCustomError("role", "needs a `role`, or `conversation`")
        if not self.content and not (self.role == "assistant" and self.tool_calls):
            raise PydanticCustomError("content", "needs `content`")
        if self.tool_calls and self.role != "assistant":
            raise PydanticCustomError("calls", "`tool_calls` are the assistant's")
        if (self.role == "tool") != (self.tool_call_id is not None):
            raise PydanticCustomError("call_id", "`tool_call_id` and the role `tool` go together")
        return self


def _messages(value: Any) -> Any:
    return [{"conversation": value}] if isinstance(value, str) else value


MessageSpecs = Annotated[
    list[MessageSpec], BeforeValidator(_messages, json_schema_input_type=str | list[MessageSpec])
]


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
    """One prompt: a user message, system and user, whole messages, or a text for completions.

    Attributes:
        system: Template of the system message; goes with `user`.
        user: Template of the user's message.
        messages: One by one; or the column of the dataset that holds them.
        text: Template, for completions.
        few_shot: Worked examples before the question.
    """

    system: str | None = None
    user: str | None = None
    messages: MessageSpecs | None = None
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


AnyPrompt = Annotated[PromptSpec, BeforeValidator(_prompt_table, json_schema_input_type=str | PromptSpec)]
