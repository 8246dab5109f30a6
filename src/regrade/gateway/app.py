"""The ASGI application: who may enter, what there is, and every error in the API's form."""

import asyncio
import uuid

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrade import jsonio
from regrade.gateway.accesslog import AccessLog, Entry
from regrade.gateway.catalogue import Catalogue, Offer, find_offer
from regrade.gateway.generation import Generation
from regrade.gateway.hooks import Admission, Broken, Holder, Hooks, Trace
from regrade.gateway.openapi import description
from regrade.gateway.refusals import Refusal, shutting_down
from regrade.types import JsonObject

__all__ = ["make_app"]

_PREFIXES = ("/api/v1", "/v1")
_REQUEST_ID = "X-Request-Id"


def make_app(catalogue: Catalogue, hooks: Hooks | None = None, log: AccessLog | None = None) -> Starlette:
    """Return the application.

    Args:
        catalogue: What is offered; the caller closes its backends after the application.
        hooks: What plugs in; the default lets any key in.
        log: Takes a line for every request.
    """
    hooks = hooks or Hooks()
    wrapped = hooks.around_answers or (lambda inner: inner)
    metered = log is not None
    chat = _Locked(wrapped(Generation("chat", catalogue, metered=metered)), hooks.admission)
    completions = _Locked(wrapped(Generation("completions", catalogue, metered=metered)), hooks.admission)
    listing = _Locked(_Listing(catalogue), hooks.admission)
    described = _Locked(_Description(), hooks.admission)
    routes: list[BaseRoute] = []
    for prefix in _PREFIXES:
        routes += [
            Route(f"{prefix}/chat/completions", chat, methods=["POST"]),
            Route(f"{prefix}/completions", completions, methods=["POST"]),
            Route(f"{prefix}/openapi.json", described, methods=["GET"]),
            Route(f"{prefix}/models", listing, methods=["GET"]),
            Route(f"{prefix}/models/{{id:path}}", listing, methods=["GET"]),
        ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_Traced, log=log)],
        exception_handlers={Refusal: _refused, HTTPException: _not_served, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


class _Locked:
    """Lets a request through to an endpoint when its key is right."""

    def __init__(self, inner: ASGIApp, admission: Admission) -> None:
        self._inner = inner
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        trace: Trace = scope["state"]["trace"]
        trace.holder = self._admission.identify(key.strip() if scheme.lower() == "bearer" else "")
        await self._inner(scope, receive, send)


class _Description:
    """Answers with the OpenAPI description."""

    def __init__(self) -> None:
        self._answer = _json(200, description())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


class _Listing:
    """Answers with all models, or with the one that the path names."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["path_params"].get("id")
        holder: Holder = scope["state"]["trace"].holder
        if wanted is None:
            offers = [_listed(one) for one in self._catalogue.values() if holder.sees(one.id)]
            answer: JsonObject = {"object": "list", "data": offers}
        else:
            answer = _listed(find_offer(self._catalogue, wanted, holder))
        await _json(200, answer)(scope, receive, send)


def _listed(offer: Offer) -> JsonObject:
    listed: JsonObject = {
        "id": offer.id,
        "object": "model",
        "created": offer.created,
        "owned_by": offer.id.partition("/")[0],
    }
    return listed if offer.context_window is None else {**listed, "context_window": offer.context_window}


class _Traced:
    """Gives every request an id of its own, for the logs of both sides, and logs it when it is over."""

    def __init__(self, inner: ASGIApp, log: AccessLog | None) -> None:
        self._inner = inner
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trace = Trace(f"req_{uuid.uuid4().hex}")
        scope.setdefault("state", {})["trace"] = trace
        sender = _Sender(send, trace.request_id, self._log.begin(scope, trace) if self._log else None)
        try:
            await self._inner(scope, receive, sender)
        except Broken:
            return
        except asyncio.CancelledError:
            # The server ends, and does not wait any longer.
            if not sender.started:
                await _json(503, shutting_down().body())(scope, receive, sender)
        finally:
            sender.end()


class _Sender:
    """Sends what the application says, with the request's id, and lets the log see it."""

    def __init__(self, send: Send, request_id: str, entry: Entry | None) -> None:
        self._send = send
        self._header = _REQUEST_ID.lower().encode(), request_id.encode()
        self._entry = entry
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message.get("headers", ()), self._header]
        if self._entry is not None:
            self._entry.sent(message)
        await self._send(message)

    def end(self) -> None:
        """Close the request's entry in the log."""
        if self._entry is not None:
            self._entry.end()


def _json(status: int, body: JsonObject) -> Response:
    return Response(jsonio.encode(body), status, media_type="application/json")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    request.state.trace.error = error.code or error.kind
    answer = _json(error.status, error.body())
    answer.headers.update(dict(error.headers))
    return answer


def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    taken = (error.headers or {}).get("Allow")
    if taken:
        message = f"{path} does not take {request.method}: use {taken}"
    elif path != path.rstrip("/") and path.startswith(_PREFIXES):
        message = f"there is no {path} here: leave out the slash at its end"
    else:
        message = f"there is no {request.method} {path} here: the API lies under {_PREFIXES[0]}"
    refusal = Refusal(error.status_code, message, code="unknown_url")
    request.state.trace.error = refusal.code
    answer = _json(error.status_code, refusal.body())
    answer.headers.update(error.headers or {})
    return answer


def _failed(request: Request, _: Exception) -> Response:
    """Answer for a fault of the server itself, outside of the middleware that adds the request's id."""
    refusal = Refusal(500, "the server failed; its log says how", kind="server_error")
    answer = _json(500, refusal.body())
    answer.headers[_REQUEST_ID] = request.state.trace.request_id
    return answer
