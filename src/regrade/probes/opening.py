"""The first question, which asks for nothing special: what the others are compared with."""

from dataclasses import dataclass

from regrade.probes.findings import Answered, Question
from regrade.types import Json, JsonObject

__all__ = ["Opening", "limited", "opening_body"]

PLAIN = "Write one sentence about the sea."
_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Opening:
    """What the plain question showed.

    Attributes:
        answered: Its answer.
        limit: The field that bounds an answer's length: `max_tokens`, or `max_completion_tokens` where the
            server refused that.
        refusal: The server's words when it refused `max_tokens`.
    """

    answered: Answered
    limit: str = "max_tokens"
    refusal: str | None = None


def opening_body(limit: str = "max_tokens") -> Question:
    """Return the plain question."""
    return Question("chat", {"messages": _user(PLAIN), "temperature": 0, limit: _TOKENS})


def limited(opening: Opening, tokens: int, prompt: str = PLAIN, **fields: Json) -> Question:
    """Return a chat question of at most so many tokens; `messages` in the fields replaces the prompt."""
    body: JsonObject = {"messages": _user(prompt), opening.limit: tokens, **fields}
    return Question("chat", body)


def _user(text: str) -> list[JsonObject]:
    return [{"role": "user", "content": text}]
