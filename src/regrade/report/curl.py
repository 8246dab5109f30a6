"""A request as a command for a shell: nothing in it is run, and the key stays where it is."""

import json
import re
import shlex
from urllib.parse import urlsplit, urlunsplit

from regrade.types import Json, JsonObject

__all__ = ["curl_command", "why_no_curl"]

_PATHS = {"chat": "/chat/completions", "completions": "/completions"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CONTROL = re.compile(r"[^\x20-\x7e]")
_DEMO = "demo:"


def why_no_curl(model: JsonObject | None) -> str:
    """Return why the request of a model cannot be written as a command; empty where it can.

    Args:
        model: As the manifest records it; None where it does not.
    """
    if model is None:
        return "The run does not say where this model is."
    if model.get("provider") != "openai":
        return f"No request was sent over HTTP: the provider is {model.get('provider')}."
    base = str(model.get("base_url", ""))
    return "" if base == _DEMO or _is_url(base) else "The run does not say where this model is."


def curl_command(model: JsonObject, messages: Json, params: JsonObject) -> str:
    """Return the request that was sent, for a POSIX shell.

    What was recorded is quoted as one word each, in printable ASCII: no character of it can end the quoting,
    and none can hide. The key is a variable of the reader's own environment. Images and sounds are named, not
    contained.

    Args:
        model: As the manifest records it; `why_no_curl` has nothing against it.
        messages: Of the conversation; a text for plain completions.
        params: As sent.
    """
    endpoint = "completions" if model.get("endpoint") == "completions" else "chat"
    content: JsonObject = {"messages": messages} if endpoint == "chat" else {"prompt": _prompt(messages)}
    body: JsonObject = {"model": model.get("id", ""), **content, **params}
    if model.get("stream"):
        body["stream"] = True
    base = str(model["base_url"])
    url = shlex.quote(_without_login(base) + _PATHS[endpoint])
    if base == _DEMO:
        url = f'"$DEMO_URL"{_PATHS[endpoint]}'
    lines = [f"curl --globoff {url}", "-H 'Content-Type: application/json'"]
    key = str(model.get("api_key_env") or "")
    if _NAME.fullmatch(key):
        lines.append(f'-H "Authorization: Bearer ${key}"')
    lines.append(f"--data-raw {shlex.quote(json.dumps(body, ensure_ascii=True))}")
    return " \\\n  ".join(lines)


def _prompt(messages: Json) -> Json:
    """Return the text of a plain completion, which tables keep as a message of the user."""
    if isinstance(messages, list) and len(messages) == 1 and isinstance(messages[0], dict):
        return messages[0].get("content")
    return messages


def _is_url(text: str) -> bool:
    try:
        return urlsplit(text).scheme in {"http", "https"}
    except ValueError:
        return False


def _without_login(url: str) -> str:
    """Return the URL in printable characters, without a name and password that may stand in it."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return _CONTROL.sub(lambda match: f"%{ord(match[0]):02X}", urlunsplit(bare)).rstrip("/")
