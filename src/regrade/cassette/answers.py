"""What a recorded answer says, whole or put together from its events."""

from collections.abc import Iterator

from regrade import jsonio
from regrade.cassette.exchange import Exchange
from regrade.types import Json, JsonObject

__all__ = ["answered_text", "content_text"]


def content_text(content: Json) -> str | None:
    """Return the text of a message's content: a string, or the text parts of a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def answered_text(exchange: Exchange) -> str | None:
    """Return the text of an answer's first choice; None where it has none, as with calls of tools."""
    texts = [text for text in map(_text, _first_choices(exchange)) if text is not None]
    return "".join(texts) if texts else None


def _first_choices(exchange: Exchange) -> Iterator[JsonObject]:
    bodies = [exchange.body] if exchange.events is None else [data for _, data in exchange.events]
    for body in bodies:
        try:
            answer = jsonio.loads(body)
        except ValueError:
            continue
        choices = answer.get("choices") if isinstance(answer, dict) else None
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index", 0) in {0, None}:
                yield choice


def _text(choice: JsonObject) -> str | None:
    source = choice.get("message") or choice.get("delta")
    if not isinstance(source, dict):
        return content_text(choice.get("text"))
    text = content_text(source.get("content"))
    return content_text(source.get("refusal")) if text is None else text
