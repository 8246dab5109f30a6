"""How llama.cpp's server differs from the API, and what is done about it.

What it does in silence instead of what was asked is refused here in words: a demo that lies teaches nothing.
"""

from collections.abc import Iterable

from regrade import jsonio
from regrade.gateway.legacy import legacy_logprobs, written
from regrade.gateway.refusals import Refusal, invalid
from regrade.types import Endpoint, Json, JsonObject

__all__ = ["LlamaCpp"]

_SEEDS = 2**31
_TOP = ("object", "created", "system_fingerprint")
_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details")
_ID_PREFIX: dict[Endpoint, str] = {"chat": "chatcmpl-", "completions": "cmpl-"}
_MEDIA = frozenset({"image_url", "input_audio", "file", "video_url"})


class LlamaCpp:
    """Of llama.cpp's own HTTP server."""

    def prepare(self, endpoint: Endpoint, body: JsonObject) -> JsonObject:  # noqa: ARG002 - a Dialect's
        """Return the body to send.

        Raises:
            Refusal: For several choices, whose tokens are counted wrong upstream.
        """
        if body.get("n") not in {None, 1}:
            raise _unsupported("n", "one choice a request: send the request again with another seed")
        _check_texts(body.get("messages") or ())
        seed = body.get("seed")
        if seed is None:
            return body
        # llama.cpp keeps 32 bits of a seed and takes all ones (-1) as "draw one".
        return body | {"seed": seed % _SEEDS}

    def answer(self, endpoint: Endpoint, body: JsonObject, model: str, *, raw: bool = False) -> JsonObject:
        """Return an answer without llama.cpp's own fields, in the name of `model`.

        Args:
            endpoint: By which it was asked for.
            body: What came, which is changed.
            model: In whose name.
            raw: Whether log-probabilities stay in llama.cpp's form, for a caller who is not done with them.
        """
        answer: JsonObject = {"id": body["id"].replace("chatcmpl-", _ID_PREFIX[endpoint])}
        answer |= {name: body[name] for name in _TOP if name in body}
        answer["model"] = model
        answer["choices"] = body["choices"]
        for choice in body["choices"] if not raw else ():
            if endpoint == "completions" and "finish_reason" in choice and _entries(choice):
                tokens = written(_entries(choice))
                choice["logprobs"] = legacy_logprobs(tokens, top=max(len(one.top) for one in tokens))
            _drop_token_ids(choice.get("logprobs"))
        if body.get("usage"):
            answer["usage"] = {name: body["usage"][name] for name in _USAGE if name in body["usage"]}
        return answer

    def chunks(
        self, endpoint: Endpoint, body: JsonObject, model: str, *, usage: bool
    ) -> Iterable[JsonObject]:
        """Yield a chunk of a stream; usage comes only when asked for, and then in a last chunk of its own."""
        if "choices" not in body:
            yield self.refusal(500, jsonio.encode(body)).body()
            return
        chunk = self.answer(endpoint, body, model)
        counted = chunk.pop("usage", None)
        if chunk["choices"]:
            yield chunk
        if usage and counted:
            yield chunk | {"choices": [], "usage": counted}

    def refusal(self, status: int, content: bytes) -> Refusal:
        """Return the API's form of an error: llama.cpp repeats the status as the code."""
        error = _error_of(content)
        kind = str(error.get("type", "server_error"))
        message = str(error.get("message", "the model's server gave no reason"))
        if kind == "exceed_context_size_error":
            return invalid(message, code="context_length_exceeded")
        return Refusal(status, message, kind=kind)


def _unsupported(param: str, offered: str) -> Refusal:
    return invalid(f"'{param}': the demo models give {offered}", param, "unsupported_value")


def _check_texts(messages: Iterable[Json]) -> None:
    for place, message in enumerate(messages):
        content = message.get("content") if isinstance(message, dict) else None
        for part in content if isinstance(content, list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if kind in _MEDIA:
                said = f"messages[{place}]: the demo models read text alone, no {kind}"
                raise invalid(said, "messages", "unsupported_value")


def _entries(choice: JsonObject) -> list[JsonObject]:
    return (choice.get("logprobs") or {}).get("content") or []


def _drop_token_ids(logprobs: Json) -> None:
    for token in (logprobs or {}).get("content") or ():
        token.pop("id", None)
        for other in token.get("top_logprobs") or ():
            other.pop("id", None)


def _error_of(content: bytes) -> JsonObject:
    try:
        body = jsonio.loads(content)
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
