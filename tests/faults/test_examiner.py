"""llmock, an examiner of clients, breaks answers and streams and has nothing to say against ours."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from ruamel.yaml import YAML

import regrade

EXAMINER = Path(__file__).parents[2] / "build/llmock/bin/llmock"
ERRORS = ("429=0.05", "500=0.05", "503=0.02", "400=0.02")
STREAMS = ("truncate=0.05", "disconnect=0.05", "malformed=0.05")
ALIKE = "at a constant interval"
"""What the examiner says of a wait that is not a tenth longer than the one before it, as it measures them.

Ours are longer by half at least, which `tests/execute` holds by a clock that the test moves. Here a machine
under load adds to the first wait what it likes and makes the second one look alike, so this word of a finding
says nothing; that there was no wait at all is another one, and load does not bring it about.
"""


@pytest.fixture
def examiner(missing: Callable[[str], NoReturn]) -> Iterator[str]:
    """Return the address of an examiner; `make test` installs it in an environment of its own."""
    if not EXAMINER.exists():
        missing("llmock is not installed in build/llmock; `make test` does that")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    faults = [part for rate in ERRORS for part in ("--error-rate", rate)]
    faults += [part for rate in STREAMS for part in ("--stream-fault", rate)]
    # Long and slow answers: a stream cut after its finish_reason is complete, though the examiner minds; and
    # a client that hangs up at a broken chunk is only seen to do so while the stream still goes on.
    style = ("--response-style", "echo", "--stream-chunk-delay-ms", "10")
    command = [str(EXAMINER), "serve", "--host", "127.0.0.1", "--port", str(port), *style, *faults]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        yield f"http://127.0.0.1:{port}"
        process.kill()


def test_the_examiner_has_no_finding(examiner: str, workdir: Path) -> None:
    """Retries, waits, final errors, broken streams: nothing found that load cannot feign; all samples end."""
    rows = [{"input": f"{number} " + "words to be echoed " * 20} for number in range(40)]
    models: list[dict[str, Any]] = [
        {"name": name, "model": "gpt-4o", "base_url": f"{examiner}/v1", "stream": name == "streamed"}
        for name in ("whole", "streamed")
    ]
    spec: dict[str, Any] = {"name": "examined", "dataset": {"rows": rows}, "models": models}
    with Path("spec.yaml").open("w") as stream:
        YAML().dump(spec | {"prompt": "{{ input }}", "scorers": ["json_valid"]}, stream)
    (workdir / ".env").write_text("OPENAI_API_KEY=sk-examined-0123456789\n")
    run = regrade.run("spec.yaml", max_connections=16)
    assert run.samples.num_rows == 80
    assert set(run.samples["failure_kind"].to_pylist()) <= {None, "bad_request"}
    done = subprocess.run(
        [EXAMINER, "report", "--url", examiner, "--strict", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = json.loads(done.stdout)
    assert [one for one in verdict["findings"] if ALIKE not in one["title"]] == []
    assert verdict["passed"] is True
    assert verdict["faults_injected"] > 5
