"""The ASGI application: who may enter, what there is, and every error in the API's form."""

import asyncio
import uuid
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrade import jsonio
from regrade.gateway.catalogue import Catalogue, Offer, find_offer
from regrade.gateway.generation import Generation
from regrade.gateway.refusals import Refusal
from regrade.http import HttpSession
from regrade.types import JsonObject

__all__ = ["KeyCheck", "any_key", "make_app"]

KeyCheck = Callable[[str], bool]
"""Says whether a Bearer key may enter."""

_PREFIXES = ("/api/v1", "/v1")
_REQUEST_ID = "X-Request-Id"


def any_key(key: str) -> bool:
    """Let every key in that is not empty: the rule of a server that only its own machine can reach."""
    return bool(key)


def make_app(catalogue: Catalogue, key_check: KeyCheck, upstream: HttpSession) -> Starlette:
    """Return the application.

    Args:
        catalogue: What is offered.
        key_check: Decides on the key of every request to an endpoint.
        upstream: Carries requests to the upstreams; the caller closes it after the application.
    """
    turns = {offer.id: asyncio.Semaphore(offer.max_connections) for offer in catalogue.values()}
    chat = _Locked(Generation("chat", catalogue, upstream, turns), key_check)
    completions = _Locked(Generation("completions", catalogue, upstream, turns), key_check)
    listing = _Locked(_Listing(catalogue), key_check)
    routes: list[BaseRoute] = []
    for prefix in _PREFIXES:
        routes += [
            Route(f"{prefix}/chat/completions", chat, methods=["POST"]),
            Route(f"{prefix}/completions", completions, methods=["POST"]),
            Route(f"{prefix}/models", listing, methods=["GET"]),
            Route(f"{prefix}/models/{{id:path}}", listing, methods=["GET"]),
        ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(_RequestIds)],
        exception_handlers={Refusal: _refused, HTTPException: _not_served, Exception: _failed},
    )
    app.router.redirect_slashes = False
    return app


class _Locked:
    """Lets a request through to an endpoint when its key is right."""

    def __init__(self, inner: ASGIApp, key_check: KeyCheck) -> None:
        self._inner = inner
        self._check = key_check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._check(key.strip()):
            raise Refusal(
                401,
                "no valid key: send the header 'Authorization: Bearer <key>'",
                kind="authentication_error",
                code="invalid_api_key",
                headers=(("WWW-Authenticate", "Bearer"),),
            )
        await self._inner(scope, receive, send)


class _Listing:
    """Answers with all models, or with the one that the path names."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = scope["path_params"].get("id")
        if wanted is None:
            answer: JsonObject = {
                "object": "list",
                "data": [_listed(one) for one in self._catalogue.values()],
            }
        else:
            answer = _listed(find_offer(self._catalogue, wanted))
        await _json(200, answer)(scope, receive, send)


def _listed(offer: Offer) -> JsonObject:
    return {
        "id": offer.id,
        "object": "model",
        "created": offer.created,
        "owned_by": offer.id.partition("/")[0],
        "context_window": offer.context_window,
    }


class _RequestIds:
    """Gives every answer an id of its own, for the logs of both sides."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = f"req_{uuid.uuid4().hex}"
        scope.setdefault("state", {})["request_id"] = number

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[_REQUEST_ID] = number
            await send(message)

        await self._inner(scope, receive, send_with_id)


def _json(status: int, body: JsonObject) -> Response:
    return Response(jsonio.encode(body), status, media_type="application/json")


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    answer = _json(error.status, error.body())
    answer.headers.update(dict(error.headers))
    return answer


def _not_served(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    served = f"there is no {request.method} {request.url.path} here: the API lies under {_PREFIXES[0]}"
    answer = _json(error.status_code, Refusal(error.status_code, served, code="unknown_url").body())
    answer.headers.update(error.headers or {})
    return answer


def _failed(request: Request, _: Exception) -> Response:
    """Answer for a fault of the server itself, outside of the middleware that adds the request's id."""
    refusal = Refusal(500, "the server failed; its log says how", kind="server_error")
    answer = _json(500, refusal.body())
    answer.headers[_REQUEST_ID] = request.state.request_id
    return answer
