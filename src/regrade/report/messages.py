"""The messages of a prompt, and answers with calls of tools, as people read them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regrade.media import Media

__all__ = ["answer_text", "shown_messages"]


def shown_messages(messages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield who speaks and what is said, part by part and call by call."""
    for message in messages:
        role = str(message["role"])
        if message.get("tool_call_id"):
            role = f"{role} {message['tool_call_id']}"
        content = message.get("content")
        if isinstance(content, str):
            yield role, content
        for part in content if isinstance(content, list) else ():
            yield role, _part(part)
        for call in message.get("tool_calls") or ():
            function = call.get("function", call)
            yield f"{role} calls", f"{function.get('name')}({function.get('arguments')})"
        if content is None and not message.get("tool_calls"):
            yield role, json.dumps({key: item for key, item in message.items() if key != "role"})


def answer_text(text: str | None, calls: str | None) -> str | None:
    """Return an answer with its calls, a line each.

    Args:
        text: What the model said; None without an answer.
        calls: The JSON of its calls, as tables hold it.
    """
    if text is None or not calls:
        return text
    lines = [f"{call['name']}({call['arguments']})" for call in json.loads(calls)]
    return "\n".join([text, *lines] if text else lines)


def _part(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    value = part.get(str(kind))
    if kind == "text":
        return str(value)
    if kind == "image_url":
        url = value.get("url") if isinstance(value, dict) else value
        detail = value.get("detail") if isinstance(value, dict) else None
        return f"image {_source(url)}{f', detail {detail}' if detail else ''}"
    if kind == "input_audio" and isinstance(value, dict):
        return f"audio {_source(value.get('data'))} as {value.get('format')}"
    return json.dumps(part, ensure_ascii=False)


def _source(value: object) -> str:
    """Return a stand-in with the name of its file, or an address."""
    name = f"{value.source.name} " if isinstance(value, Media) and not isinstance(value.source, bytes) else ""
    return f"{name}{value}"
