"""What the official clients make of each fault of the gateway."""

import json
from pathlib import Path
from typing import Any

import pytest

from regrade.gateway.faults.kinds import KINDS
from regrade.gateway.process import Gateway
from regrade.gateway.settings import GatewaySettings

SHORT: dict[str, float] = {"seconds": 0.05, "megabytes": 1, "chunks": 1}
OF_WHOLE = [name for name, kind in KINDS.items() if kind.form != "stream"]
OF_STREAMS = [name for name, kind in KINDS.items() if kind.form != "whole"]
STATUS = {
    "rate_limit": ("RateLimitError", 429),
    "quota": ("RateLimitError", 429),
    "server_error": ("InternalServerError", 500),
    "bad_gateway": ("InternalServerError", 502),
    "unavailable": ("InternalServerError", 503),
    "gateway_timeout": ("InternalServerError", 504),
    "overloaded": ("InternalServerError", 529),
    "error_empty": ("InternalServerError", 500),
    "bad_request": ("BadRequestError", 400),
    "context_length": ("BadRequestError", 400),
    "content_filter": ("BadRequestError", 400),
    "error_text": ("BadRequestError", 400),
    "error_string": ("BadRequestError", 400),
    "error_detail": ("BadRequestError", 400),
    "error_html": ("BadRequestError", 400),
    "unauthorized": ("AuthenticationError", 401),
    "key_in_error": ("AuthenticationError", 401),
    "forbidden": ("PermissionDeniedError", 403),
    "not_found": ("NotFoundError", 404),
    "error_code_number": ("NotFoundError", 404),
    "unprocessable": ("UnprocessableEntityError", 422),
}
CONNECTION = ("reset", "hang_up", "silence", "redirect")
BROKEN_WHOLE = ("drip", "truncated_body", "reset_body", "invalid_json", "empty_body", "huge", "endless")
BROKEN_STREAMS = ("drip", "endless", "cut_stream", "reset_stream", "stalled_stream", "comments")
MUDDLED_STREAMS = ("invalid_event", "error_event")
UNHARMED = ("slow", "rising_latency")


def rules(names: list[str], *, stream: bool) -> list[dict[str, Any]]:
    """Return rules of which the first meets a request that comes for the first time, and so on."""
    found = []
    for place, name in enumerate(names):
        options = {key: SHORT[key] for key in SHORT if key in KINDS[name].options}
        found.append({"fault": name, "stream": stream, "first": place + 1, **options})
    return found


@pytest.fixture(scope="module")
def seen(client: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what a client saw of every fault: by name, for a stream with "stream " in front."""
    path: Path = tmp_path_factory.mktemp("faults") / "faults.yaml"
    path.write_text(json.dumps({"faults": rules(OF_WHOLE, stream=False) + rules(OF_STREAMS, stream=True)}))
    calls = ["chat"] * (len(OF_WHOLE) + 1) + ["stream"] * (len(OF_STREAMS) + 1)
    with Gateway(GatewaySettings(demo=("demo/v2",), faults=str(path))) as gateway:
        found = client.each(gateway.base_url, *calls, model="demo/v2")
    names = [*OF_WHOLE, "none", *(f"stream {name}" for name in [*OF_STREAMS, "none"])]
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("form", ["", "stream "])
def test_a_status_becomes_its_exception(seen: dict[str, Any], form: str) -> None:
    """Each refusal is the client's exception for it, whatever the body looks like, with the request's id."""
    errors = {name: seen[form + name]["error"] for name in STATUS}
    assert {name: (one["class"], one["status"]) for name, one in errors.items()} == STATUS
    assert all(one["id"] for one in errors.values())
    assert errors["quota"]["code"] == "insufficient_quota"
    assert errors["context_length"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize("form", ["", "stream "])
def test_a_connection_that_fails_is_a_connection_error(seen: dict[str, Any], form: str) -> None:
    """Reset, closed, silent, or sent to a host that is not there."""
    for name in CONNECTION:
        assert seen[form + name]["error"]["class"] == "APIConnectionError", name


def test_what_breaks_off_is_no_answer(seen: dict[str, Any]) -> None:
    """Half a body and a stream that is cut raise something; what it is differs between the clients."""
    names = [*BROKEN_WHOLE, *(f"stream {name}" for name in BROKEN_STREAMS + MUDDLED_STREAMS)]
    assert [name for name in names if "error" not in seen[name]] == []


def test_what_the_clients_do_not_notice(seen: dict[str, Any]) -> None:
    """A stream that ends early in good order passes for an answer: whoever reads it must look for its end."""
    for name in ("short_stream", "no_finish_reason", "no_done"):
        chunks = seen[f"stream {name}"]["answer"]
        finished = [one for chunk in chunks for one in chunk["choices"] if one["finish_reason"]]
        assert len(finished) == (1 if name == "no_done" else 0), name
    assert seen["stream empty_body"]["answer"] == []
    assert seen["stream html"]["answer"] == []
    assert "choices" not in seen["no_choices"]["answer"]
    assert seen["null_content"]["answer"]["choices"][0]["message"]["content"] is None


def test_filters_and_repeats(seen: dict[str, Any]) -> None:
    """A withheld answer says so; a repeated chunk is text twice."""
    assert seen["filtered"]["answer"]["choices"][0]["finish_reason"] == "content_filter"
    chunks = seen["stream filtered_stream"]["answer"]
    assert [one["finish_reason"] for chunk in chunks for one in chunk["choices"]][-1] == "content_filter"
    plain, twice = (seen[f"stream {name}"]["answer"] for name in ("none", "repeated_chunk"))
    assert len(twice) == len(plain) + 1


@pytest.mark.parametrize("form", ["", "stream "])
def test_what_is_late_is_right(seen: dict[str, Any], form: str) -> None:
    """Slow answers are answers, and so is the one that meets no rule any more."""
    for name in (*UNHARMED, "none"):
        assert seen[form + name]["answer"], name
