"""What a refusal of an endpoint means: its kind, its own message, and whether another attempt can help."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from regrade import jsonio
from regrade.errors import ProviderError
from regrade.types import FailureKind, Json

__all__ = ["refused", "server_message"]

_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_KINDS: Mapping[int, FailureKind] = {
    401: "auth",
    403: "auth",
    408: "timeout",
    429: "rate_limit",
    504: "timeout",
}
_TEXT_LIMIT = 500
_SERVER_ERROR = 500
_REDIRECT = range(300, 400)
_TAGS = re.compile(r"<(?:script|style).*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context.{0,12}(length|window|size)|maximum.{0,20}tokens|prompt is too long", re.IGNORECASE
)
_QUOTA = re.compile(r"insufficient_quota|exceeded your current quota|billing", re.IGNORECASE)
_SECRET = re.compile(r"\b(?:sk|uai|gsk|xai|hf|key)[-_][A-Za-z0-9_\-*]{6,}|Bearer\s+[^\s<{$\[(]\S{5,}")


def refused(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """Return the error for an answer whose status is not 200."""
    message = server_message(body)
    kind = _KINDS.get(status) or ("server_error" if status >= _SERVER_ERROR else "bad_request")
    retryable = status in _RETRYABLE
    if kind == "bad_request" and _TOO_LONG.search(message):
        kind = "context_length"
    if kind == "bad_request" and "content_filter" in message:
        kind = "content_filter"
    if kind == "rate_limit" and _QUOTA.search(message):
        retryable = False
    if status in _REDIRECT:
        message = (
            f"redirected to {headers.get('location', 'another address')}; put that in base_url if it is right"
        )
    return ProviderError(
        f"HTTP {status}: {message}" if message else f"HTTP {status} without a message",
        kind=kind,
        status=status,
        retryable=retryable,
        retry_after_s=_retry_after(headers),
    )


def server_message(body: bytes) -> str:
    """Return what the server says went wrong, whatever form it chose; anything like a key is taken out."""
    text = body.decode("utf-8", "replace").strip()
    try:
        found = _message_in(jsonio.loads(text))
    except ValueError:
        found = None
    if not found:
        found = _TAGS.sub(" ", text) if text.startswith("<") else text
    found = " ".join(_SECRET.sub("[redacted]", found).split())
    return found if len(found) <= _TEXT_LIMIT else found[:_TEXT_LIMIT] + " ..."


def _message_in(value: Json) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [_message_in(item) for item in value]
        return "; ".join(part for part in parts if part) or None
    if not isinstance(value, dict):
        return None
    for name in ("error", "message", "detail", "errors", "msg", "description"):
        found = _message_in(value.get(name))
        if found:
            code = value.get("code")
            is_word = isinstance(code, str) and not code.isdigit() and code not in found
            return f"{found} ({code})" if is_word else found
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks to wait: as seconds, as a date, or in milliseconds."""
    milliseconds = headers.get("retry-after-ms")
    if milliseconds:
        seconds = _number(milliseconds)
        if seconds is not None:
            return seconds / 1000
    value = headers.get("retry-after")
    if not value:
        return None
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    now = _server_time(headers) or datetime.now(UTC)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - now).total_seconds())


def _server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return the server's own clock, so that a wrong clock here changes nothing."""
    try:
        at = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None
