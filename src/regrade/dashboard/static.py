"""Style sheets and the script, by names that hold their hash, so that browsers keep them for a year."""

import hashlib
import mimetypes
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from regrade.pages.drawing import ASSETS, asset

__all__ = ["asset_urls", "static_file"]

_DIGITS = 10
_FOREVER = "public, max-age=31536000, immutable"
_MISSING = 404


@cache
def _files() -> dict[str, tuple[str, bytes]]:
    """Return what is served, by the name that it is served under."""
    found = {}
    for name in ASSETS:
        content = asset(name).encode()
        stem, _, suffix = name.rpartition(".")
        served = f"{stem}.{hashlib.sha256(content).hexdigest()[:_DIGITS]}.{suffix}"
        found[served] = (name, content)
    return found


def asset_urls() -> dict[str, str]:
    """Return the URL of every file of the pages by its name."""
    return {name: f"/static/{served}" for served, (name, _) in _files().items()}


def static_file(request: Request) -> Response:
    """Answer with one of the files; nothing else is there, whatever the path says."""
    found = _files().get(request.path_params["name"])
    if found is None:
        return Response(status_code=_MISSING)
    name, content = found
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    return Response(content, media_type=kind, headers={"cache-control": _FOREVER})
