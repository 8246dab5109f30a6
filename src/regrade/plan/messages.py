"""The messages of a prompt, compiled once: texts, images, sounds, calls of tools, whole conversations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from regrade.jsonio import dumps
from regrade.media import MediaReader
from regrade.plan.conversations import checked_conversation
from regrade.templates import FieldMapping, Template
from regrade.types import Json, JsonObject, Messages

__all__ = ["CallPart", "Conversation", "MediaPart", "MessageTemplate", "Part", "PromptMessages", "TextPart"]


class Part(Protocol):
    """A part of a message's content."""

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        ...

    def render(self, variables: Mapping[str, Json]) -> JsonObject:
        """Return the part as the API takes it."""
        ...

    def check(self, variables: Mapping[str, Json]) -> None:
        """Look at what a sample brings, as far as that costs little."""
        ...


class PromptMessages(Protocol):
    """One message, or several that a dataset brings."""

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        ...

    @property
    def varies(self) -> bool:
        """Return whether what a sample brings can be malformed, so that each has to be looked at."""
        ...

    def render(self, variables: Mapping[str, Json]) -> Messages:
        """Return the messages as the API takes them."""
        ...

    def check(self, variables: Mapping[str, Json]) -> None:
        """Look at what a sample brings, as far as that costs little."""
        ...


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text."""

    template: Template

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        return self.template.names

    def render(self, variables: Mapping[str, Json]) -> JsonObject:
        """Return the part as the API takes it.

        Raises:
            TemplateError: As `Template.render`.
        """
        return {"type": "text", "text": self.template.render(variables)}

    def check(self, variables: Mapping[str, Json]) -> None:
        """Do nothing: missing variables are found by their names."""


@dataclass(frozen=True, slots=True)
class MediaPart:
    """An image or a sound.

    Attributes:
        value: Where the row has it.
        reader: Reads it.
        detail: How closely an image is to be looked at.
    """

    value: FieldMapping
    reader: MediaReader
    detail: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """Return nothing: each sample is looked at."""
        return frozenset()

    def render(self, variables: Mapping[str, Json]) -> JsonObject:
        """Return the part as the API takes it, a stand-in in place of the content.

        Raises:
            TemplateError: When the row lacks the column.
            DatasetError: As `MediaReader.part`.
        """
        return self.reader.part(self.value.value(variables), self.detail)

    def check(self, variables: Mapping[str, Json]) -> None:
        """Look whether the file is there and of the right type.

        Raises:
            TemplateError, DatasetError: As `render`.
        """
        self.reader.check(self.value.value(variables))


@dataclass(frozen=True, slots=True)
class CallPart:
    """A call that the assistant made in an earlier turn.

    Attributes:
        id: What its result refers to.
        name: Of the function.
        arguments: JSON text as a template, or values whose texts are templates.
    """

    id: Template
    name: Template
    arguments: Json

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        inner: Iterator[Template] = _templates(self.arguments)
        return frozenset().union(*(one.names for one in (self.id, self.name, *inner)))

    def render(self, variables: Mapping[str, Json]) -> JsonObject:
        """Return the call as the API takes it."""
        arguments = _rendered(self.arguments, variables)
        function = {
            "name": self.name.render(variables),
            "arguments": arguments if isinstance(arguments, str) else dumps(arguments),
        }
        return {"id": self.id.render(variables), "type": "function", "function": function}


def _templates(value: Json) -> Iterator[Template]:
    if isinstance(value, Template):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _templates(item)


def _rendered(value: Json, variables: Mapping[str, Json]) -> Json:
    if isinstance(value, Template):
        return value.render(variables)
    if isinstance(value, list):
        return [_rendered(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _rendered(item, variables) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """One message.

    Attributes:
        role: Who speaks.
        parts: Of the content; a single text is sent as a text.
        calls: Of tools, by the assistant.
        others: Further fields, such as `tool_call_id` and `name`.
    """

    role: str
    parts: Sequence[Part] = ()
    calls: Sequence[CallPart] = ()
    others: Mapping[str, Template] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        inner: list[Part | CallPart | Template] = [*self.parts, *self.calls, *self.others.values()]
        return frozenset().union(*(one.names for one in inner))

    @property
    def varies(self) -> bool:
        """Return whether what a sample brings can be malformed."""
        return not all(isinstance(part, TextPart) for part in self.parts)

    def render(self, variables: Mapping[str, Json]) -> Messages:
        """Return the message as the API takes it.

        Raises:
            TemplateError: Naming the variable that is missing.
            DatasetError: For an image or sound that cannot be sent.
        """
        content: Json = [part.render(variables) for part in self.parts]
        if len(self.parts) == 1 and isinstance(self.parts[0], TextPart):
            content = content[0]["text"]
        message: JsonObject = {"role": self.role, "content": content or None if self.calls else content}
        if self.calls:
            message["tool_calls"] = [call.render(variables) for call in self.calls]
        message |= {name: template.render(variables) for name, template in self.others.items()}
        return [message]

    def check(self, variables: Mapping[str, Json]) -> None:
        """Look at the images and sounds of a sample.

        Raises:
            TemplateError, DatasetError: As `render`.
        """
        for part in self.parts:
            part.check(variables)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages that a dataset brings.

    Attributes:
        value: Where the row has them.
        images: Reads the images that they name.
    """

    value: FieldMapping
    images: MediaReader

    @property
    def names(self) -> frozenset[str]:
        """Return nothing: each sample is looked at."""
        return frozenset()

    @property
    def varies(self) -> bool:
        """Return that every sample has to be looked at."""
        return True

    def render(self, variables: Mapping[str, Json]) -> Messages:
        """Return the messages.

        Raises:
            TemplateError: When the row lacks the column.
            DatasetError: Naming the message that is malformed.
        """
        messages = checked_conversation(self.value.value(variables), self.value.source)
        for message in messages:
            if isinstance(message["content"], list):
                message["content"] = [self._part(part) for part in message["content"]]
        return messages

    def check(self, variables: Mapping[str, Json]) -> None:
        """Look at the messages of a sample.

        Raises:
            TemplateError, DatasetError: As `render`.
        """
        for message in checked_conversation(self.value.value(variables), self.value.source):
            for part in message["content"] if isinstance(message["content"], list) else ():
                if part["type"] == "image_url":
                    self.images.check(_url(part))

    def _part(self, part: JsonObject) -> JsonObject:
        if part["type"] != "image_url":
            return part
        detail = part["image_url"].get("detail") if isinstance(part["image_url"], dict) else None
        return self.images.part(_url(part), detail)


def _url(part: JsonObject) -> Json:
    image = part["image_url"]
    return image.get("url") if isinstance(image, dict) else image
