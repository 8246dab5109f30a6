"""What each fault puts on the wire."""

import json
import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from regrade.gateway.faults.kinds import KINDS

STREAM_KINDS = [name for name, kind in KINDS.items() if kind.form == "stream"]
WHOLE_KINDS = [name for name, kind in KINDS.items() if kind.form != "stream"]
SHORT = {"seconds": 0.3, "megabytes": 0.5}


@pytest.fixture(scope="module")
def everything(serve_faults: Callable[[str], Any]) -> Any:
    """Serve models that are called like faults, each with its own."""
    rules = [
        {"fault": name, "models": name, **{key: SHORT[key] for key in SHORT if key in kind.options}}
        | ({"chunks": 1} if "chunks" in kind.options else {})
        for name, kind in KINDS.items()
    ]
    rules[0]["retry_after"] = 2
    return serve_faults(json.dumps({"faults": rules}))


def test_every_fault_is_documented() -> None:
    """docs/faults.md names each, and the list of the command has room for each in one line of a terminal."""
    text = (Path(__file__).parents[3] / "docs/faults.md").read_text()
    assert [name for name in KINDS if f"`{name}`" not in text] == []
    assert all(len(kind.summary) <= 60 for kind in KINDS.values())


class Wire:
    """What came over the wire, until the server closed the connection."""

    def __init__(self, port: int, body: dict[str, Any], path: str = "/v1/chat/completions") -> None:
        content = json.dumps({"messages": [{"role": "user", "content": "q"}], "prompt": "q"} | body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-mine-0123\r\nConnection: close\r\n"
        )
        self.was_reset = False
        received = b""
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
            try:
                while piece := connection.recv(65_536):
                    received += piece
            except ConnectionResetError:
                self.was_reset = True
        head_, _, self.raw = received.partition(b"\r\n\r\n")
        lines = head_.decode().split("\r\n")
        self.status = int(lines[0].split()[1]) if received else 0
        pairs = [line.split(": ", 1) for line in lines[1:]]
        self.headers = {name.lower(): value for name, value in pairs}
        self.complete = self.raw.endswith(b"0\r\n\r\n") or len(self.raw) == int(
            self.headers.get("content-length", -1)
        )

    @property
    def body(self) -> bytes:
        """Return the body without its framing."""
        if self.headers.get("transfer-encoding") != "chunked":
            return self.raw
        found, rest = b"", self.raw
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            found, rest = found + rest[: int(size or b"0", 16)], rest[int(size or b"0", 16) + 2 :]
        return found


@pytest.mark.parametrize(
    ("name", "stream"),
    [(name, False) for name in WHOLE_KINDS]
    + [(name, True) for name in WHOLE_KINDS if KINDS[name].form == "any"],
)
def test_every_fault_is_named_in_its_answer(everything: Any, name: str, stream: bool) -> None:
    """Where there is an answer at all it has the fault's name and the request's id."""
    seen = Wire(everything.port, {"model": name, "stream": stream})
    if name in {"reset", "hang_up", "silence"}:
        assert (seen.status, seen.raw) == (0, b"")
        return
    assert seen.headers["x-regrade-fault"] == name
    assert seen.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("rate_limit", 429),
        ("quota", 429),
        ("server_error", 500),
        ("bad_gateway", 502),
        ("unavailable", 503),
        ("gateway_timeout", 504),
        ("overloaded", 529),
        ("bad_request", 400),
        ("unauthorized", 401),
        ("forbidden", 403),
        ("not_found", 404),
        ("unprocessable", 422),
        ("redirect", 307),
    ],
)
def test_statuses(everything: Any, name: str, status: int) -> None:
    """Each refusal has its status, on both endpoints, and no model is asked."""
    for path in ("/v1/chat/completions", "/v1/completions"):
        seen = Wire(everything.port, {"model": name}, path)
        assert (seen.status, seen.complete) == (status, True)
        assert b"choices" not in seen.raw


@pytest.mark.parametrize(
    ("name", "complete", "was_reset"),
    [
        ("truncated_body", False, False),
        ("reset_body", False, True),
        ("drip", False, False),
        ("endless", False, False),
        ("huge", True, False),
        ("invalid_json", True, False),
        ("empty_body", True, False),
    ],
)
def test_bodies_that_break_off(everything: Any, name: str, complete: bool, was_reset: bool) -> None:
    """Half a body is told from a whole one as the wire tells it: by its length, or by a reset."""
    seen = Wire(everything.port, {"model": name})
    assert (seen.status, seen.complete, seen.was_reset) == (200, complete, was_reset)
    with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated"):
        json.loads(seen.body)


def test_before_a_byte(everything: Any) -> None:
    """A reset is one, a closed connection is none, and silence ends in one."""
    assert Wire(everything.port, {"model": "reset"}).was_reset
    assert not Wire(everything.port, {"model": "hang_up"}).was_reset
    assert not Wire(everything.port, {"model": "silence"}).was_reset


def test_answers_that_mean_nothing(everything: Any) -> None:
    """Valid JSON with nothing in it, and a right answer under a wrong name."""
    body = {
        name: json.loads(Wire(everything.port, {"model": name}).body) for name in KINDS if "choice" in name
    }
    assert "choices" not in body["no_choices"]
    assert body["empty_choices"]["choices"] == []
    (null,) = json.loads(Wire(everything.port, {"model": "null_content"}).body)["choices"]
    assert (null["message"]["content"], null["finish_reason"]) == (None, "stop")
    (withheld,) = json.loads(Wire(everything.port, {"model": "filtered"}).body)["choices"]
    assert (withheld["message"]["content"], withheld["finish_reason"]) == (None, "content_filter")
    mislabelled = Wire(everything.port, {"model": "wrong_type"})
    assert mislabelled.headers["content-type"].startswith("text/plain")
    assert json.loads(mislabelled.body)["choices"][0]["message"]["content"] == "one two three"


def test_the_key_is_repeated_to_its_owner_alone(everything: Any) -> None:
    """The fault of servers that print keys is the client's own key."""
    assert b"sk-mine-0123" in Wire(everything.port, {"model": "key_in_error"}).body


@pytest.mark.parametrize(
    ("name", "words", "finished", "done", "complete"),
    [
        ("cut_stream", 1, False, False, False),
        ("reset_stream", None, False, False, False),
        ("short_stream", 1, False, False, True),
        ("no_finish_reason", 3, False, True, True),
        ("no_done", 3, True, False, True),
        ("filtered_stream", 3, False, True, True),
        ("invalid_event", 1, False, False, True),
        ("error_event", 1, False, False, True),
        ("repeated_chunk", 4, True, True, True),
        ("stalled_stream", 1, False, False, False),
        ("comments", 1, False, False, False),
    ],
)
def test_streams(
    everything: Any, name: str, words: int | None, finished: bool, done: bool, complete: bool
) -> None:
    """After one chunk each stream goes wrong in its own way; it is complete only where HTTP says so."""
    seen = Wire(everything.port, {"model": name, "stream": True})
    assert (seen.status, seen.headers["x-regrade-fault"], seen.complete) == (200, name, complete)
    if words is None:  # a reset takes along what was on its way
        assert seen.was_reset
        return
    body = seen.body
    assert body.count(b'"content":') == words
    assert (b'"stop"' in body, b"[DONE]" in body) == (finished, done)
    assert (b": keep-alive" in body) == (name == "comments")
    assert (b'"error"' in body) == (name == "error_event")
    assert (b'"content_filter"' in body) == (name == "filtered_stream")


@pytest.mark.parametrize("name", STREAM_KINDS)
def test_a_fault_of_streams_leaves_whole_answers_alone(everything: Any, name: str) -> None:
    """What can only happen to a stream happens to streams only."""
    seen = Wire(everything.port, {"model": name})
    assert "x-regrade-fault" not in seen.headers
    assert seen.complete


@pytest.mark.parametrize("form", ["seconds", "date", "milliseconds"])
def test_retry_after_in_each_form(serve_faults: Callable[[str], Any], form: str) -> None:
    """Seconds, a date some seconds from the answer's own, or the milliseconds that one vendor sends."""
    rule = f"{{fault: rate_limit, retry_after: 2.5, retry_after_as: {form}}}"
    seen = Wire(serve_faults(f"faults: [{rule}]").port, {"model": "m"})
    if form == "milliseconds":
        assert (seen.headers["retry-after-ms"], "retry-after" in seen.headers) == ("2500", False)
    elif form == "seconds":
        assert seen.headers["retry-after"] == "2.5"
    else:
        later = parsedate_to_datetime(seen.headers["retry-after"])
        assert 1 <= (later - parsedate_to_datetime(seen.headers["date"])).total_seconds() <= 4
