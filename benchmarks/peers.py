"""Other frameworks on the same work, each from its package index in an environment of its own under build/."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from measure import HERE, Bench, Measured, Server, median, server

Command = Callable[[Bench, Server, int], list[str]]

_BUILD = HERE.parent / "build" / "peers"
_CONNECTIONS = 100
_ENV = {
    "OPENAI_API_KEY": "none",
    "SUMS_API_KEY": "none",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "PROMPTFOO_DISABLE_TELEMETRY": "1",
    "PROMPTFOO_DISABLE_UPDATE": "1",
    "PROMPTFOO_FAILED_TEST_EXIT_CODE": "0",
}

_INSPECT = """\
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate

@task
def sums():
    rows = json_dataset({rows!r}, FieldSpec(input="question", target="answer", id="id"))
    return Task(dataset=rows, solver=generate(), scorer=exact())
"""

_LM_EVAL = """\
task: sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: [], max_gen_toks: 16, temperature: 0, do_sample: false}}
metric_list: [{{metric: exact_match, aggregation: mean, higher_is_better: true}}]
"""


def _python(name: str, *packages: str) -> Path:
    """Return the `bin` folder of an environment with these packages, made when there is none."""
    home = _BUILD / name
    if not (home / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "--quiet", *packages], check=True)
        (home / "installed").touch()
    return home / "bin"


def _node(package: str) -> Path:
    """Return the folder of programs of an npm package, installed when it is not there."""
    home = _BUILD / package
    if not (home / "installed").exists():
        if shutil.which("npm") is None:
            raise RuntimeError(f"{package} needs npm")
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", str(home), package], check=True)
        (home / "installed").touch()
    return home / "node_modules" / ".bin"


def _inspect_ai(bench: Bench, there: Server, count: int) -> list[str]:
    program = _python("inspect_ai", "inspect-ai", "openai") / "inspect"
    task = bench.folder / f"sums_{count}.py"
    task.write_text(_INSPECT.format(rows=str(bench.rows(count))))
    return [
        str(program), "eval", str(task), "--model", "openai-api/sums/m", "--model-base-url", there.url,
        "--temperature", "0", "--max-connections", str(_CONNECTIONS), "--max-samples", str(_CONNECTIONS),
        "--display", "none", "--log-dir", str(bench.folder / "inspect"),
    ]  # fmt: skip


def _lm_eval(bench: Bench, there: Server, count: int) -> list[str]:
    program = _python("lm_eval", "lm-eval[api]") / "lm_eval"
    folder = bench.folder / f"lm_eval_{count}"
    folder.mkdir(exist_ok=True)
    (folder / "sums.yaml").write_text(_LM_EVAL.format(rows=bench.rows(count)))
    model = f"model=m,base_url={there.url}/chat/completions,num_concurrent={_CONNECTIONS},max_retries=3"
    return [
        str(program), "--model", "local-chat-completions", "--model_args", model, "--apply_chat_template",
        "--tasks", "sums", "--include_path", str(folder), "--log_samples", "--output_path", str(folder / "out"),
    ]  # fmt: skip


def _promptfoo(bench: Bench, there: Server, count: int) -> list[str]:
    program = _node("promptfoo") / "promptfoo"
    tests = [
        {
            "vars": {"question": row["question"]},
            "assert": [{"type": "equals", "value": row["answer"]}],
        }
        for row in map(json.loads, bench.rows(count).open())
    ]
    config = {
        "prompts": ["{{question}}"],
        "providers": [{"id": "openai:chat:m", "config": {"apiBaseUrl": there.url, "temperature": 0}}],
        "tests": tests,
    }
    path = bench.folder / f"promptfoo_{count}.json"
    path.write_text(json.dumps(config))
    return [
        str(program), "eval", "-c", str(path), "-j", str(_CONNECTIONS), "--no-cache", "--no-table",
        "--no-progress-bar", "-o", str(bench.folder / "promptfoo-out.json"),
    ]  # fmt: skip


def _row(name: str, command: Command) -> Callable[[Bench], list[Measured]]:
    def measure(bench: Bench) -> list[Measured]:
        env = {**_ENV, "PROMPTFOO_CONFIG_DIR": str(bench.folder / "promptfoo"), "HF_HOME": str(bench.folder)}
        env["PATH"] = os.environ["PATH"]
        large, small = (1_000, 200) if bench.quick else (2_000, 500)
        theirs, theirs_small, floor, floor_small = [], [], [], []
        with server() as there:
            commands = (
                command(bench, there, large),
                command(bench, there, small),
            )  # installs before the clock runs
            bench.restart()
            for _ in bench.rounds():
                theirs.append(bench.used(commands[0], env))
                floor.append(bench.used(bench.loop(there.url, large, _CONNECTIONS)))
                theirs_small.append(bench.used(commands[1], env))
                floor_small.append(bench.used(bench.loop(there.url, small, _CONNECTIONS)))
            answered = there.counts()["answered"]
        if answered < 2 * len(theirs) * (large + small):
            raise RuntimeError(f"{name} asked fewer questions than it was given")
        further = median(theirs, "cpu_s") - median(theirs_small, "cpu_s")
        least = median(floor, "cpu_s") - median(floor_small, "cpu_s")
        slow, quick = median(theirs, "wall_s"), median(floor, "wall_s")
        peak = statistics.median(one.peak_mb for one in theirs)
        each = f"{further / (large - small) * 1000:.2f} ms; {len(theirs)} repeats"
        return [
            Measured(f"{name}: CPU per further sample, C=100", further / least, "x", None, None, each),
            Measured(f"{name}: wall, N={large:,}, C=100, 0 ms", slow / quick, "x", None, None, f"{slow:.2f} s"),
            Measured(f"{name}: peak memory, N={large:,}", peak, "MB", None, None, ""),
        ]  # fmt: skip

    return measure


ROWS = {
    "inspect_ai": _row("inspect_ai", _inspect_ai),
    "lm_eval": _row("lm-eval", _lm_eval),
    "promptfoo": _row("promptfoo", _promptfoo),
}
