"""Telling what a model thought from what it answered, in all the forms in which servers send it."""

import re

from regrade.types import Json, JsonObject

__all__ = ["content_text", "reasoning_of", "split_inline"]

_FIELDS = ("reasoning_content", "reasoning", "thinking")
_KINDS = frozenset({"reasoning", "thinking", "reasoning.text", "reasoning.summary", "reasoning_text"})
_TEXTS = ("text", "thinking", "reasoning", "summary", "content")
_OPENED = re.compile(r"\s*<(think|thought|seed:think)>")
_CLOSED_ALONE = re.compile(r"</(?:seed:)?think>")


def reasoning_of(message: JsonObject) -> str | None:
    """Return the reasoning that a message or delta holds apart from its answer; None where there is none.

    The forms, of which the first that holds anything counts, since servers send the same text in several:
    `reasoning_content`, `reasoning` and `thinking` as texts; lists of parts under `reasoning_details` and
    `thinking_blocks`; parts of the content that are reasoning.
    """
    for name in _FIELDS:
        found = _text_in(message.get(name))
        if found:
            return found
    for name in ("reasoning_details", "thinking_blocks", "content"):
        found = "".join(_text_in(part) for part in _reasoning_parts(message.get(name)))
        if found:
            return found
    return None


def content_text(content: Json) -> str | None:
    """Return a content's text: a string, or the parts of a list that are no reasoning."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict) and part.get("type") not in _KINDS]
        return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))
    return None


def split_inline(text: str, *, apart: bool = False) -> tuple[str, str | None]:
    """Return an answer without the reasoning at its start, and that reasoning.

    Servers that leave the model's text as it is send `<think>...</think>answer`. The opening tag is missing
    where the chat template has written it already, the closing one where the answer was cut before it.

    Args:
        text: The whole content.
        apart: Whether the server has given reasoning apart from it; then only a tag at the start counts.
    """
    opened = _OPENED.match(text)
    if opened:
        reasoning, _, answer = text[opened.end() :].partition(f"</{opened[1]}>")
        return answer.lstrip(), reasoning.strip() or None
    closed = None if apart else _CLOSED_ALONE.search(text)
    if closed:
        return text[closed.end() :].lstrip(), text[: closed.start()].strip() or None
    return text, None


def _reasoning_parts(parts: Json) -> list[JsonObject]:
    if not isinstance(parts, list):
        return []
    return [part for part in parts if isinstance(part, dict) and part.get("type") in _KINDS]


def _text_in(value: Json) -> str:
    """Return the text of a reasoning field or part: a string, an object with one, or a list of these."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(_text_in(item) for item in value)
    if isinstance(value, dict):
        return next((found for name in _TEXTS if (found := _text_in(value.get(name)))), "")
    return ""
