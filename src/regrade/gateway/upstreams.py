"""The catalogue: a YAML file of the models that other servers run, checked whole before anything starts."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regrade.errors import Problem, SpecError, UsageError, did_you_mean
from regrade.gateway.settings import TIMEOUT_S, Upstream
from regrade.spec.document import Document, NodePath, read_document
from regrade.spec.messages import in_words

__all__ = ["EXAMPLE", "keyless", "read_upstreams"]

EXAMPLE = Path(__file__).with_name("models.example.yaml")
"""A catalogue to begin with."""

_KEY_FIELDS = frozenset({"api_key", "key", "token", "apikey", "api-key", "authorization", "headers"})
_KEY_HINT = "name the environment variable that holds it: `api_key_env: OPENROUTER_API_KEY`"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_URL = re.compile(r"https?://[^/\s@?#]+(/[^\s?#]*)?")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _Price(_Strict):
    """US dollars per million tokens."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class _Place(_Strict):
    base_url: str | None = None
    api_key_env: str | None = None
    max_connections: int | None = Field(default=None, ge=1)
    timeout: float | None = Field(default=None, gt=0)


class _Entry(_Place):
    upstream: str | None = None
    context_window: int | None = Field(default=None, ge=1)
    price: _Price | None = None
    mode: Literal["forward", "record", "replay"] | None = None


class _Catalogue(_Strict):
    upstreams: dict[str, _Place] = Field(default_factory=dict)
    models: dict[str, _Entry | None] = Field(min_length=1)


def read_upstreams(path: Path, wanted: Iterable[str] | None = None) -> tuple[Upstream, ...]:
    """Read a catalogue.

    Args:
        path: The YAML file.
        wanted: Only these models; default all.

    Raises:
        SpecError: Every problem of the file at once.
        UsageError: When a wanted model is not in it.
    """
    document = read_document(path)
    try:
        catalogue = _Catalogue.model_validate(document.tree)
    except ValidationError as error:
        found_so_far = [_problem(document, one) for one in error.errors()]
        raise SpecError(_in_order([*found_so_far, *_unknown_upstreams(document)])) from None
    problems = [*_key_problems(document, catalogue)]
    found = []
    for id_, entry in catalogue.models.items():
        node: NodePath = ("models", id_)
        upstream = _upstream(document, catalogue, id_, entry or _Entry(), problems)
        if upstream and not _URL.fullmatch(upstream.base_url):
            problems.append(_bad_url(document, node, entry or _Entry()))
        elif upstream:
            found.append(upstream)
    if problems:
        raise SpecError(_in_order(problems))
    return _chosen(found, wanted, path)


def keyless(upstreams: Iterable[Upstream], env: Mapping[str, str]) -> dict[str, str]:
    """Return the models whose key's variable is not set, with that variable.

    Raises:
        UsageError: When a key is set but cannot be one.
    """
    missing = {}
    for one in upstreams:
        key = env.get(one.api_key_env, "").strip() if one.api_key_env else None
        if one.api_key_env and not key:
            missing[one.id] = one.api_key_env
        elif key and not (key.isascii() and key.isprintable() and " " not in key):
            raise UsageError(f"the environment variable {one.api_key_env} holds what cannot be a key")
    return missing


def _chosen(found: list[Upstream], wanted: Iterable[str] | None, path: Path) -> tuple[Upstream, ...]:
    if wanted is None:
        return tuple(found)
    ids = [one.id for one in found]
    asked = list(wanted)
    for unknown in asked:
        if unknown not in ids:
            hint = did_you_mean(unknown, ids) or f"it has {', '.join(ids)}"
            raise UsageError(f'{path}: there is no model "{unknown}"', hint=hint)
    return tuple(one for one in found if one.id in asked)


def _upstream(
    document: Document, catalogue: _Catalogue, id_: str, entry: _Entry, problems: list[Problem]
) -> Upstream | None:
    """Return a model with what its upstream's entry says lying under what its own says."""
    node: NodePath = ("models", id_)
    shared = catalogue.upstreams.get(entry.upstream) if entry.upstream else _Place()
    if shared is None:
        problems.append(_no_upstream(document, id_, str(entry.upstream), catalogue.upstreams))
        return None
    if entry.upstream and entry.base_url:
        # The key beside one address must not go to another.
        message = "has both `upstream` and `base_url`; a model has one"
        problems.append(document.problem((*node, "base_url"), message, at_key=True))
        return None
    base_url = entry.base_url or shared.base_url
    if base_url is None:
        hint = "give it `base_url`, or `upstream` with the name of an entry of `upstreams`"
        problems.append(document.problem(node, f'"{id_}" does not say where it runs', hint, at_key=True))
        return None
    return Upstream(
        id=id_,
        base_url=base_url.rstrip("/"),
        api_key_env=entry.api_key_env or shared.api_key_env,
        context_window=entry.context_window,
        max_connections=entry.max_connections or shared.max_connections,
        timeout_s=entry.timeout or shared.timeout or TIMEOUT_S,
        prompt_price=entry.price.prompt if entry.price else None,
        completion_price=entry.price.completion if entry.price else None,
        mode=entry.mode,
    )


def _no_upstream(document: Document, id_: str, name: str, known: Iterable[str]) -> Problem:
    names = [*known]
    hint = did_you_mean(name, names) or f"there are: {', '.join(names) or 'none'}"
    return document.problem(("models", id_, "upstream"), f'there is no upstream "{name}"', hint)


def _unknown_upstreams(document: Document) -> Iterable[Problem]:
    """Yield the upstreams that there are not in a catalogue that has other faults as well."""
    models, known = document.tree.get("models"), document.tree.get("upstreams", {})
    for id_, entry in models.items() if isinstance(models, dict) and isinstance(known, dict) else ():
        name = entry.get("upstream") if isinstance(entry, dict) else None
        if isinstance(name, str) and name not in known:
            yield _no_upstream(document, id_, name, [str(one) for one in known])


def _key_problems(document: Document, catalogue: _Catalogue) -> Iterable[Problem]:
    places: list[tuple[NodePath, _Place | None]] = [
        *((("upstreams", name), one) for name, one in catalogue.upstreams.items()),
        *((("models", name), one) for name, one in catalogue.models.items()),
    ]
    for node, place in places:
        if place and place.api_key_env is not None and not _VARIABLE.fullmatch(place.api_key_env):
            # Neither the value nor its line is shown: it may be a key.
            where = document.place((*node, "api_key_env")).value
            message = "`api_key_env` is the name of a variable (capitals, digits, _), never a key itself"
            yield Problem(message, where, hint=_KEY_HINT)


def _bad_url(document: Document, node: NodePath, entry: _Entry) -> Problem:
    place = (*node, "base_url") if entry.base_url else ("upstreams", str(entry.upstream), "base_url")
    message = "`base_url` must begin with http:// or https://, then a host, without user, key or query"
    # Not shown, as it may hold a key.
    return Problem(message, document.place(place).value, hint="such as https://openrouter.ai/api/v1")


def _problem(document: Document, details: Any) -> Problem:
    node = tuple(details["loc"])
    name = str(node[-1])
    if details["type"] == "extra_forbidden":
        if name.lower() in _KEY_FIELDS:
            return Problem("a key never stands in a file", document.place(node).key, hint=_KEY_HINT)
        known = _known(node)
        hint = did_you_mean(name, known) or f"known keys: {', '.join(known)}"
        return document.problem(node, f'unknown key "{name}"', hint, at_key=True)
    if name == "[key]":
        return document.problem(node[:-1], "an id is a text: put it into quotes", at_key=True)
    if details["type"] == "missing":
        return document.problem(node[:-1], f'the key "{name}" is missing', at_key=True)
    return document.problem(node, f"`{name}` {in_words(details)}")


def _known(node: NodePath) -> list[str]:
    top = _Catalogue if len(node) == 1 else {"upstreams": _Place}.get(str(node[0]), _Entry)
    return list((_Price if "price" in node[:-1] else top).model_fields)


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    unique = dict.fromkeys(problems)
    return sorted(
        unique, key=lambda one: (one.where.line or 0, one.where.column or 0) if one.where else (0, 0)
    )
