"""What every request passes before a page sees it, and what every answer carries."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from regrade.dashboard.hosts import Hosts
from regrade.dashboard.settings import DashboardSettings

__all__ = ["HEADERS", "Guard", "Refuse"]

Refuse = Callable[[Scope, int, str, str], Response]
"""Makes the answer to a request that is refused, from status, head and text."""

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
"""On every answer. Nothing of another host loads, nothing that stands in the page runs, nobody frames it."""

_METHODS = ("GET", "HEAD")
_STATIC = "/static/"
_PARAMETER = "token"


class Guard:
    """Refuses other methods, other hosts, other sites, and readers without the token.

    Args:
        inner: The pages.
        settings: What is asked of readers.
        refuse: Makes the page that says no.
        own_names: Names of this machine.
    """

    def __init__(
        self, inner: ASGIApp, settings: DashboardSettings, refuse: Refuse, own_names: Iterable[str] = ()
    ) -> None:
        self._inner = inner
        self._refuse = refuse
        self._hosts = Hosts(settings, own_names)
        self._token = settings.token.encode()
        digest = hmac.new(self._token, b"regrade dashboard", hashlib.sha256).hexdigest()
        self._session = digest.encode()
        # Cookies are shared by all ports of a host: each token has a cookie of its own.
        self._cookie = f"regrade-{hashlib.sha256(digest.encode()).hexdigest()[:8]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102 - ASGI
        if scope["type"] != "http":
            return
        answer = self._checked(scope)
        await (self._inner if answer is None else answer)(scope, receive, _with_headers(send))

    def _checked(self, scope: Scope) -> Response | None:
        """Return what is answered instead of a page; None lets the request through."""
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            answer = self._refuse(scope, 405, "Read-only", "This server answers GET and HEAD alone.")
            answer.headers["allow"] = ", ".join(_METHODS)
            return answer
        if not self._hosts.allow(headers.get("host", "")):
            text = (
                "The request names another host than this server listens on. If that name is right, start it "
                "with --allow-host NAME."
            )
            return self._refuse(scope, 421, "Another host", text)
        if _of_another_site(headers):
            return self._refuse(scope, 403, "Another site", "Pages of other sites cannot read these.")
        if not self._token or scope["path"].startswith(_STATIC):
            return None
        return self._admitted(scope, headers)

    def _admitted(self, scope: Scope, headers: Headers) -> Response | None:
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [text for name, text in query if name == _PARAMETER]
        if given and self._is_token(given[-1]):
            return self._let_in(scope, headers, [one for one in query if one[0] != _PARAMETER])
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(key.strip()):
            return None
        cookie = cookie_parser(headers.get("cookie", "")).get(self._cookie, "")
        if hmac.compare_digest(cookie.encode("utf-8", "replace"), self._session):
            return None
        text = (
            "This dashboard asks for its token: open it once with ?token=… at the end of the address, or "
            "send it as `Authorization: Bearer …`."
        )
        answer = self._refuse(scope, 401, "Token needed", text)
        answer.headers["www-authenticate"] = 'Bearer realm="regrade"'
        return answer

    def _is_token(self, text: str) -> bool:
        return hmac.compare_digest(text.encode("utf-8", "replace"), self._token)

    def _let_in(self, scope: Scope, headers: Headers, query: list[tuple[str, str]]) -> Response:
        """Return to the same address without the token, which the cookie stands for from now on."""
        path = "/" + scope["raw_path"].split(b"?")[0].decode("latin-1").lstrip("/")
        answer = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
        answer.set_cookie(
            self._cookie,
            self._session.decode(),
            httponly=True,
            samesite="lax",
            secure=headers.get("x-forwarded-proto") == "https",
        )
        answer.headers["cache-control"] = "no-store"
        return answer


def _of_another_site(headers: Headers) -> bool:
    """Return whether a script, image or frame of another site asks; following a link to here is no crime."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].casefold() != headers.get("host", "").casefold():
        return True
    if headers.get("sec-fetch-site") not in {"cross-site", "same-site"}:
        return False
    return headers.get("sec-fetch-mode") != "navigate" or headers.get("sec-fetch-dest") != "document"


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("cache-control", "no-cache, private")
        await send(message)

    return send_with_headers
