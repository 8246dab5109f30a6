"""What a probe sends, what comes back, and what it shows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade.types import Endpoint, Json, JsonObject

__all__ = ["Answered", "Finding", "Question", "Seen", "Verdict", "ignored", "no", "unclear", "yes"]

Verdict: TypeAlias = Literal["yes", "no", "ignored", "?"]
"""Honoured; refused; accepted in silence and not done; cannot be told."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a probe.

    Attributes:
        endpoint: Which of the two APIs.
        body: Everything but the model.
    """

    endpoint: Endpoint
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, or the chunks of a stream, with the readers that probes need.

    Attributes:
        objects: As they came.
    """

    objects: tuple[JsonObject, ...]

    @property
    def choices(self) -> list[JsonObject]:
        """Return the choices of a whole answer."""
        found = self.objects[0].get("choices") if self.objects else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def message(self) -> JsonObject:
        """Return the first choice's message; empty where there is none."""
        found = self.choices[0].get("message") if self.choices else None
        return found if isinstance(found, dict) else {}

    @property
    def text(self) -> str:
        """Return what was written; empty where nothing was."""
        found: Json = self.message.get("content")
        if found is None and self.choices:
            found = self.choices[0].get("text")
        return found if isinstance(found, str) else ""

    @property
    def finish_reason(self) -> str | None:
        """Return why the first choice ended."""
        found = self.choices[0].get("finish_reason") if self.choices else None
        return found if isinstance(found, str) else None

    def count(self, name: str) -> int | None:
        """Return a count of the usage, such as "completion_tokens"; None where the server says nothing."""
        for one in self.objects:
            usage = one.get("usage")
            value = usage.get(name) if isinstance(usage, dict) else None
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one question: an answer, a refusal in the server's words, or trouble that says nothing.

    Attributes:
        answered: The answer.
        refusal: Why the server will not do it.
        trouble: Why there is neither, such as a timeout.
    """

    answered: Answered | None = None
    refusal: str | None = None
    trouble: str | None = None

    def without_answer(self) -> "Finding | None":
        """Return the finding where nothing was answered."""
        if self.refusal is not None:
            return no(self.refusal)
        return unclear(self.trouble or "no answer") if self.answered is None else None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known about one feature of one model.

    Attributes:
        verdict: Honoured, refused, ignored, or unknown.
        note: Why, in words; the server's own where it refused.
        value: A number that belongs to it, such as the context window.
    """

    verdict: Verdict
    note: str = ""
    value: int | None = None


def yes(note: str = "", value: int | None = None) -> Finding:
    """Return that it is honoured."""
    return Finding("yes", note, value)


def no(note: str) -> Finding:
    """Return that the server refuses it, or does not give it."""
    return Finding("no", note)


def ignored(note: str) -> Finding:
    """Return that the server accepts it and does not do it."""
    return Finding("ignored", note)


def unclear(note: str) -> Finding:
    """Return that it cannot be told."""
    return Finding("?", note)
