"""An endpoint that the command line names: its address, and the key that may travel there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from regrade.api.models import OPENAI, Resolver, checked_url
from regrade.errors import ProviderError, UsageError
from regrade.spec import ModelSpec
from regrade.types import Model

__all__ = ["key_told", "model_at", "with_url"]

_KEY = "OPENAI_API_KEY"


def model_at(name: str, base_url: str | None, api_key_env: str | None, resolver: Resolver) -> Model:
    """Return a model of the endpoint, or of the one that the environment names.

    A key goes to the host that it was meant for and to no other: without `api_key_env` another base URL gets
    OPENAI_API_KEY only where it is on the server that OPENAI_BASE_URL names, or on OpenAI's own.

    Args:
        name: Its id.
        base_url: Of `--base-url`.
        api_key_env: Of `--api-key-env`.
        resolver: Knows the environment.

    Raises:
        UsageError: An address that is none, or a variable that is not set.
    """
    if api_key_env is not None and not resolver.env.get(api_key_env):
        raise UsageError(
            f"`--api-key-env` {api_key_env}: that environment variable is not set",
            hint=f"export {api_key_env}=..., or put it into a file named .env",
        )
    if base_url is None:
        return resolver.model_of(ModelSpec(name=name, api_key_env=api_key_env))
    url = checked_url(base_url, "`--base-url`")
    key_env = api_key_env or _key_meant_for(url, resolver.env)
    return resolver.model_of(ModelSpec(name=name, base_url=url, api_key_env=key_env))


def _key_meant_for(url: str, env: Mapping[str, str]) -> str | None:
    meant = env.get("OPENAI_BASE_URL") or OPENAI
    return _KEY if env.get(_KEY) and _server(url) == _server(meant) else None


def _server(url: str) -> tuple[str, str]:
    """Return what of an address decides who reads a key."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


@contextmanager
def key_told(model: Model) -> Iterator[None]:
    """Let the refusal of a key say how one is given, and whether one was sent."""
    try:
        yield
    except ProviderError as error:
        if error.kind == "auth" and error.hint is None:
            sent = f"the key of {model.api_key_env} was sent" if model.api_key_env else "no key was sent"
            error.hint = f"{sent}; `--api-key-env NAME` names the environment variable that holds the key"
        raise


def with_url(error: ProviderError, model: Model) -> ProviderError:
    """Return the error with the address that it came from, where it does not say so."""
    if model.base_url and model.base_url not in error.message:
        error.message = f"{model.base_url}: {error.message}"
        error.args = (error.message,)
    return error
