"""What docs/cassettes.md tells people to type, in a clean folder: record once, replay without anything."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
NO_NETWORK = """\
import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.bind", "socket.sendto"}:
        raise PermissionError(f"no network here: {event} {arguments[1:]}")

sys.addaudithook(refuse)
"""
"""Found by every Python that starts: a second lock beside the namespace, which not every system grants."""


def namespace() -> list[str]:
    """Return what takes the network away from a command, where the system lets one."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0:
        return [unshare, "-rn"]
    return []


def typed(line: str, *more: str, env: dict[str, str] | None = None, alone: bool = False) -> str:
    """Run a line of the docs and return what it printed."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "regrade"
    command = [sys.executable, "-m", "regrade", *arguments, *more]
    done = subprocess.run(
        [*(namespace() if alone else []), *command], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_record_once_then_replay_without_key_and_network(workdir: Path) -> None:
    """The commands of the docs as they stand there give one verdict, as one file, byte for byte."""
    text = (ROOT / "docs/cassettes.md").read_text()
    block = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[0]
    record, replay = [line for line in block.splitlines() if line.startswith("regrade")]
    assert "--record cassettes/release" in record
    assert "--replay cassettes/release" in replay
    typed("regrade init")
    spec = workdir / "evals/first.yaml"
    spec.write_text(
        spec.read_text() + "\ngate: {baseline: main, rules: [{rule: no_regression, metric: accuracy}]}\n"
    )
    typed("regrade run evals")
    typed("regrade baseline set main")
    typed(record, "-o", "live.json", env={**os.environ, "OPENAI_API_KEY": "sk-secret-0123456789abcdef"})
    locks = workdir / "locks"
    locks.mkdir()
    (locks / "sitecustomize.py").write_text(NO_NETWORK)
    paths = [str(locks), *filter(None, [os.environ.get("PYTHONPATH")])]
    bare = {"PATH": os.environ["PATH"], "HOME": str(workdir), "PYTHONPATH": os.pathsep.join(paths)}
    typed(replay, "-o", "replayed.json", env=bare, alone=True)
    live = (workdir / "live.json").read_bytes()
    assert (workdir / "replayed.json").read_bytes() == live
    assert json.loads(live)
    kept = b"".join(path.read_bytes() for path in (workdir / "cassettes").rglob("*") if path.is_file())
    assert b"sk-secret" not in kept
