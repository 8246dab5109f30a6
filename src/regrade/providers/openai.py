"""Any OpenAI-compatible endpoint: chat and legacy completions, streamed or whole."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace

from regrade import jsonio
from regrade.credentials import is_secret
from regrade.errors import ProviderError
from regrade.http import Session, StreamReply
from regrade.media import expanded
from regrade.providers.answers import AnswerBuilder, read_completion
from regrade.providers.faults import refused, server_message
from regrade.providers.likelihoods import first_tokens, option_likelihoods, prompts_of
from regrade.types import Completion, Endpoint, Json, JsonObject, Key, Model, ModelInfo, Request

__all__ = ["OpenAICompatible", "label_of"]

_PATHS = {"chat": "/chat/completions", "completions": "/completions"}
_OK = 200


@dataclass(frozen=True, slots=True)
class OpenAICompatible:
    """Answers requests for one model over HTTP.

    Attributes:
        model: The model; its base URL says where.
        session: Shared connections.
        api_key: Sent as a Bearer token when there is one.
        clock: Seconds, monotonic.
    """

    model: Model
    session: Session
    api_key: str | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.perf_counter

    @property
    def _secret(self) -> str:
        """Return the key that no text of a server may repeat; empty where there is none."""
        return self.api_key if self.api_key and is_secret(self.api_key) else ""

    async def complete(self, request: Request) -> Completion:
        """Send the request once.

        Raises:
            ProviderError: Saying whether another attempt can help.
        """
        try:
            completion = await self._complete(request)
        except ProviderError as error:
            error.message = self._without_key(error.message)
            error.args = (error.message,)
            raise
        return _redacted(completion, self._without_key) if self._secret else completion

    def _without_key(self, text: str) -> str:
        """Return a server's text; should it repeat the key, that never goes further than here."""
        return text.replace(self._secret, "[redacted]") if self._secret else text

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """Return the error for a refusal; the key is taken out before its text is cut: a part would stay."""
        clean = body.replace(self._secret.encode(), b"[redacted]") if self._secret else body
        return refused(status, headers, clean)

    async def _complete(self, request: Request) -> Completion:
        # What multiple choice needs stands in a whole answer.
        stream = request.model.stream and (request.choices is None or request.choices.mode == "text")
        url = f"{self.model.base_url}{_PATHS[request.endpoint]}"
        content = jsonio.encode(_body(request, stream=stream))
        started = self.clock()
        label = label_of(request.key)
        async with self.session.stream(
            "POST", url, self._headers(stream=stream), content, label=label
        ) as reply:
            if reply.status != _OK:
                raise self._refused(reply.status, reply.headers, await reply.read())
            if stream and "event-stream" in reply.headers.get("content-type", ""):
                return await self._collect(reply, started)
            limits = _limits(reply.headers)
            body = await reply.read()
        completion = self._read(body, request, self._elapsed(reply, started))
        return replace(completion, limits=limits) if limits else completion

    def _read(self, body: bytes, request: Request, latency_s: float) -> Completion:
        mode = "text" if request.choices is None else request.choices.mode
        if mode == "loglikelihood":
            return option_likelihoods(body, request, latency_s)
        read = first_tokens if mode == "first_token" else read_completion
        return read(body, request.endpoint, latency_s, inline=self.model.inline_reasoning)

    async def _collect(self, reply: StreamReply, started: float) -> Completion:
        builder = AnswerBuilder()
        first: float | None = None
        async for chunk in _chunks(reply):
            if builder.add(chunk) and first is None:
                first = self._elapsed(reply, started)
        latency_s, inline = self._elapsed(reply, started), self.model.inline_reasoning
        return builder.completion(ttft_s=first, latency_s=latency_s, inline=inline)

    async def exchange(self, endpoint: Endpoint, body: JsonObject) -> list[JsonObject]:
        """Send a body as it is, in the model's name; return the answer, or the chunks of a stream.

        Raises:
            ProviderError: When the endpoint refuses, or answers with no JSON objects.
        """
        url = f"{self.model.base_url}{_PATHS[endpoint]}"
        content = jsonio.encode({"model": self.model.id, **body})
        try:
            async with self.session.stream(
                "POST", url, self._headers(stream=bool(body.get("stream"))), content
            ) as reply:
                if reply.status != _OK:
                    raise self._refused(reply.status, reply.headers, await reply.read())
                if "event-stream" in reply.headers.get("content-type", ""):
                    return [_object(chunk) async for chunk in _chunks(reply)]
                return [_object(_parsed(await reply.read()))]
        except ProviderError as error:
            error.message = self._without_key(error.message)
            error.args = (error.message,)
            raise

    def _elapsed(self, reply: StreamReply, started: float) -> float:
        """Return the seconds since the request: those on record, so that a replay measures the same."""
        return self.clock() - started if reply.elapsed_s is None else reply.elapsed_s

    async def list_models(self) -> list[ModelInfo]:
        """Return the endpoint's models in the order it lists them.

        Raises:
            ProviderError: When the endpoint does not list any, or not in the API's form.
        """
        url = f"{self.model.base_url}/models"
        label = f"models of {self.model.identity or self.model.base_url}"
        reply = await self.session.get(url, self._headers(stream=False), label=label)
        if reply.status != _OK:
            error = self._refused(reply.status, reply.headers, reply.body)
            error.message = self._without_key(error.message)
            error.args = (error.message,)
            raise error
        try:
            listed = jsonio.loads(reply.body)
            rows = listed["data"] if isinstance(listed, dict) else listed
            return [_model_info(row) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            message = f"{self.model.base_url}/models does not answer in the form of the API"
            raise ProviderError(message, kind="invalid_response") from error

    def _headers(self, *, stream: bool) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream" if stream else "application/json",
            "User-Agent": "regrade",
        }
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        return headers


def _redacted(completion: Completion, clean: Callable[[str], str]) -> Completion:
    """Return an answer without what `clean` takes out, in whichever part a server repeated it."""
    calls = tuple(replace(call, arguments=clean(call.arguments)) for call in completion.tool_calls)
    reasoning = None if completion.reasoning is None else clean(completion.reasoning)
    return replace(completion, text=clean(completion.text), reasoning=reasoning, tool_calls=calls)


def label_of(key: Key) -> str:
    """Return a request's place in its run as one text, for recordings."""
    return jsonio.dumps(list(key))


def _limits(headers: Mapping[str, str]) -> dict[str, str] | None:
    """Return what the endpoint says of its rate limits; most say nothing."""
    if "x-ratelimit-remaining-requests" not in headers and "x-ratelimit-remaining-tokens" not in headers:
        return None
    return {name: value for name, value in headers.items() if name.startswith("x-ratelimit-")}


def _body(request: Request, *, stream: bool) -> JsonObject:
    content: JsonObject = (
        {"messages": expanded(request.messages)} if request.endpoint == "chat" else {"prompt": request.text}
    )
    if request.choices is not None and request.choices.continuations:
        content = {"prompt": prompts_of(request)}
    body: JsonObject = {"model": request.model.id, **content, **request.params}
    if stream:
        body["stream"] = True
        body.setdefault("stream_options", {"include_usage": True})
    return body


async def _chunks(reply: StreamReply) -> AsyncIterator[Json]:
    async for data in reply.events():
        if data == "[DONE]":
            return
        try:
            yield jsonio.loads(data)
        except ValueError as error:
            message = f"an event of the stream is not JSON: {data[:80]}"
            raise ProviderError(message, kind="invalid_response", retryable=True) from error


def _parsed(body: bytes) -> Json:
    try:
        return jsonio.loads(body)
    except ValueError as error:
        message = f"the answer is not JSON: {server_message(body)[:120] or 'empty'}"
        raise ProviderError(message, kind="invalid_response", retryable=True) from error


def _object(value: Json) -> JsonObject:
    """Return an object of the API; ProviderError when it is none, or an error in the form of one."""
    if isinstance(value, dict) and not value.get("error"):
        return value
    raise ProviderError(server_message(jsonio.canonical(value)), kind="invalid_response")


def _model_info(row: JsonObject) -> ModelInfo:
    window = next(
        (
            row[key]
            for key in ("context_window", "context_length", "max_model_len")
            if isinstance(row.get(key), int)
        ),
        None,
    )
    if window is None and isinstance(row.get("meta"), dict):
        window = row["meta"].get("n_ctx") or row["meta"].get("n_ctx_train")
    owner = row.get("owned_by")
    return ModelInfo(str(row["id"]), window, owner if isinstance(owner, str) else None)
