"""Conversations as people read them: what was asked, in which parts, and what was called."""

import json
from collections.abc import Callable

from regrade.jsonio import dumps
from regrade.types import Json, JsonObject
from regrade.views import CallView, MessageView, PieceView, TextView

__all__ = ["LIMIT", "calls_of", "laid_out", "messages_of", "text_view"]

LIMIT = 4_000
"""Characters of a text that a story shows of a longer one."""

_WHOLE = 10_000
"""Characters up to which a text is shown whole."""

_FOLDED = frozenset({"system", "developer"})
Link = Callable[[str], str]
"""Returns where a part of the sample is shown whole."""


def text_view(text: str, href: str, whole: int = _WHOLE) -> TextView:
    """Return a text, or its beginning with where the rest is.

    Args:
        text: It.
        href: Where all of it is shown.
        whole: Characters up to which it is not cut.
    """
    if len(text) <= whole:
        return TextView(text)
    return TextView(text[:LIMIT], f"first {LIMIT:,} of {len(text):,} characters", href)


def messages_of(found: Json, link: Link) -> tuple[MessageView, ...]:
    """Return the messages of a conversation, whatever a server or a dataset put into them.

    Args:
        found: As recorded; a text is one message.
        link: Leads to what is cut.
    """
    listed = found if isinstance(found, list) else [{"role": "user", "content": found}]
    return tuple(_message(one, link) for one in listed)


def calls_of(found: Json, link: Link) -> tuple[CallView, ...]:
    """Return the functions that were called, in the form of the API or of the tables."""
    calls = []
    for one in found if isinstance(found, list) else []:
        call = one.get("function", one) if isinstance(one, dict) else {}
        if not isinstance(call, dict) or "name" not in call:
            calls.append(CallView("", text_view(_as_text(one), link("tool_calls"))))
            continue
        arguments = text_view(_as_text(call.get("arguments", "")), link("tool_calls"))
        calls.append(CallView(str(call["name"]), arguments, str(one.get("id") or "")))
    return tuple(calls)


def laid_out(value: Json) -> str:
    """Return a value as JSON over several lines."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (RecursionError, ValueError):
        return dumps(value)


def _message(found: Json, link: Link) -> MessageView:
    message: JsonObject = found if isinstance(found, dict) else {"role": "user", "content": found}
    role = str(message.get("role") or "message")
    pieces = tuple(_pieces(message.get("content"), link))
    named = [str(message[name]) for name in ("name", "tool_call_id") if message.get(name)]
    who = " ".join([role.capitalize(), *named])
    fold = ""
    if role in _FOLDED:
        words = sum(len(one.text.text.split()) for one in pieces)
        cut = next((one.text.cut for one in pieces if one.text.cut), "")
        fold = f"{who}, {cut or ('1 word' if words == 1 else f'{words:,} words')}"
    return MessageView(role, who, pieces, calls_of(message.get("tool_calls"), link), fold)


def _pieces(content: Json, link: Link) -> list[PieceView]:
    if content is None or content == "":
        return []
    parts = content if isinstance(content, list) else [content]
    return [_piece(part, link("messages")) for part in parts]


def _piece(part: Json, href: str) -> PieceView:
    if isinstance(part, str):
        return PieceView("text", text_view(part, href))
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            return PieceView("text", text_view(part["text"], href))
        for name, key in (("image_url", "url"), ("input_audio", "data"), ("file", "filename")):
            if name in part:
                held = part[name]
                said = held.get(key) if isinstance(held, dict) else held
                return PieceView("media", text_view(f"{name}: {_as_text(said)}", href, whole=400))
    return PieceView("json", text_view(laid_out(part), href))


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else dumps(value)
