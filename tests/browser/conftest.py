"""Results of the demo suites, the dashboard over them as it is typed, and Chromium to read it with."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

import regrade
from regrade.addresses import (
    CompareAddress,
    EvalAddress,
    GatesAddress,
    RunAddress,
    RunsAddress,
    SamplesAddress,
)

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build/node/node_modules/axe-core/axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
TIMEOUT_MS = 30_000
SETTLED = "main:not(:has([data-again]))"
LONG_NAME = "a-vendor/a-model-with-a-name-that-goes-on-and-on-2126-11-26-preview-instruct-fp8-dynamic"
HOSTILE = (
    '<script>alert("run")</script><img src=x onerror="alert(1)"><svg onload="alert(1)"></svg>',
    '</p></article></main><h1>forged</h1><iframe src="https://evil.example/"></iframe>',
    "[link](javascript:alert(1)) ![picture](https://evil.example/x.png) **bold** <https://evil.example>",
    '{"html": "<script>alert(1)</script>", "list": ["<img src=x onerror=alert(1)>"]}',
    "escape \x1b[31m red, nul \x00, bell \x07, half \ud800, bidi \u202e desrever \u2066, tag \U000e0041",
    "w" * 40_000,
    "=cmd|' /C calc'!A0\n\n```html\n<script>alert(1)</script>\n```\n\n| a | <b>b</b> |\n|---|---|\n| 1 | 2 |",
    "{{ 7 * 7 }} ${alert(1)} '\"><base href=//evil.example/><meta http-equiv=refresh content=0;url=//x>",
)


@dataclass(frozen=True)
class Results:
    """What was run.

    Attributes:
        folder: Where the suites and `results/` lie.
        first: The baseline `main`: two suites, all well.
        second: The candidate: `shipped` is worse at arithmetic, and the gate fails.
        hostile: Recorded answers that try to be more than text, a model of failures alone, a long name.
    """

    folder: Path
    first: str
    second: str
    hostile: str


@dataclass
class Served:
    """The dashboard and what to ask it for.

    Attributes:
        url: Where it listens, without the last slash.
        results: What it shows.
    """

    url: str
    results: Results

    @property
    def pages(self) -> dict[str, str]:
        """Return the path of every page, by a name for its screenshots."""
        second, hostile = self.results.second, self.results.hostile
        samples = SamplesAddress(second)
        return {
            "overview": "/",
            "evals": "/evals",
            "eval": EvalAddress("arithmetic").url(),
            "eval-cost": EvalAddress("arithmetic", by="cost").url(),
            "runs": RunsAddress().url(),
            "samples": samples.url(per="20"),
            "samples-empty": samples.url(q="nothing holds this"),
            "story": samples.url(outcome=("wrong",), per="20", pick="first"),
            "story-raw": samples.url(outcome=("wrong",), per="20", pick="first", view="raw"),
            "hostile": SamplesAddress(hostile).url(),
            "failure": SamplesAddress(hostile).url(outcome=("failure",), pick="first"),
            "run": RunAddress(second).url(),
            "run-failures": RunAddress(hostile).url(),
            "gates": GatesAddress(eval="arithmetic").url(),
            "compare": CompareAddress("main", second).url(),
            "compare-models": CompareAddress(second, by="model").url(),
            "compare-three": CompareAddress("main", self.results.first, (second,)).url(),
            "search": "/search?q=arith",
        }


@dataclass
class Reader:
    """Someone at the browser, from whom nothing that goes wrong stays hidden.

    Attributes:
        page: What is looked at.
        served: The dashboard.
        wrong: What must not happen: dialogs, messages on the console, errors of scripts, requests to others.
    """

    page: Page
    served: Served
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to everything that must not happen."""
        self.page.on("console", self._message)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def open(self, path: str) -> Page:
        """Look at a page; it has to be there."""
        answer = self.page.goto(self.served.url + path)
        assert answer is not None
        assert answer.status == 200, path
        return self.page

    def goes_to(self, part: str) -> None:
        """Wait until the address holds a text."""
        self.page.wait_for_url(lambda url: part in url)

    def _message(self, message: ConsoleMessage) -> None:
        self.wrong.append(f"console: {message.type}: {message.text} at {self.page.url}")

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message} at {self.page.url}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "file"} and f"{parts.scheme}://{parts.netloc}" != self.served.url:
            self.wrong.append(f"request: {request.url} from {self.page.url}")


PAGE_NAMES = tuple(Served("", Results(Path(), "", "", "")).pages)


def model(name: str, demo: str) -> dict[str, Any]:
    """Return a demo model under a name, with a price."""
    return {"name": name, "model": f"demo/{demo}", "price": {"prompt": 0.15, "completion": 0.6}}


def arithmetic(shipped: str) -> dict[str, Any]:
    """Return a suite whose model `shipped` is one of the demo models, with its gate."""
    return {
        "name": "arithmetic",
        "tags": ["demo"],
        "dataset": {
            "path": str(ROOT / "datasets/arithmetic.jsonl"),
            "input": "question",
            "target": "answer",
            "metadata": ["operation", "difficulty"],
        },
        "models": [model("shipped", shipped), model("small", "v1")],
        "prompt": "{{ question }}",
        "parameters": {"temperature": 0, "max_tokens": 40},
        "scorers": [{"numeric": {"find": "marker"}}],
        "slices": ["operation"],
        "gate": {"baseline": "main", "rules": [{"rule": "no_regression", "metric": "accuracy"}]},
    }


def tickets() -> dict[str, Any]:
    """Return a suite with labels, hence with a confusion matrix."""
    return {
        "name": "tickets",
        "tags": ["demo", "labels"],
        "dataset": {"path": str(ROOT / "datasets/tickets.jsonl"), "input": "text", "target": "label"},
        "models": [model("shipped", "v2")],
        "prompt": "Label this message: {{ text }}",
        "parameters": {"temperature": 0, "max_tokens": 8},
        "scorers": [
            {"classification": {"labels": ["billing", "refund", "shipping", "login", "bug", "other"]}}
        ],
    }


def hostile() -> dict[str, Any]:
    """Return a suite over recorded answers: hostile ones, none at all, and a long name."""
    rows = [
        {"id": f"h{n} {text[:20]}", "input": text, "target": text[:200]} for n, text in enumerate(HOSTILE)
    ]
    files = {
        "hostile": [{"id": row["id"], "text": row["input"]} for row in rows],
        "silent": [{"id": "nobody asked for this", "text": ""}],
        LONG_NAME: [{"id": row["id"], "text": row["target"]} for row in rows],
    }
    models = []
    for name, answers in files.items():
        path = f"{name.rpartition('/')[2]}.jsonl"
        Path(path).write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        models.append({"name": name, "outputs": path, "id": "id", "text": "text"})
    return {
        "name": "hostile-answers/of-a-suite-with-a-name-that-goes-on-and-on",
        "tags": ["<i>tag</i>"],
        "dataset": {"rows": rows, "id": "id"},
        "models": models,
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
    }


def run_suites(folder: Path) -> Results:
    """Run everything: a baseline, a candidate that is worse, its gate, and the hostile suite."""

    def write(name: str, spec: dict[str, Any]) -> str:
        Path(name).write_text(json.dumps(spec))
        return name

    with contextlib.chdir(folder):
        both = [write("arithmetic.yaml", arithmetic("v2")), write("tickets.yaml", tickets())]
        first = regrade.run(both, limit=40)
        regrade.set_baseline("main", first)
        second = regrade.run(write("arithmetic.yaml", arithmetic("v3-bad")), limit=40)
        regrade.gate(second.id, baseline="main")
        third = regrade.run(write("hostile.yaml", hostile()))
    return Results(folder, first.id, second.id, third.id)


@pytest.fixture(scope="module", params=PAGE_NAMES)
def page_name(request: pytest.FixtureRequest) -> str:
    """Return the name of every page in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def chromium(missing: Callable[[str], NoReturn]) -> str:
    """Return the browser's path."""
    path = shutil.which("chromium")
    if path is None:
        missing("chromium is not on PATH: apt-get install chromium")
    return path


@pytest.fixture(scope="session")
def results(chromium: str, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Results:
    """Give what was run, once for all processes of the session; to be read only."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "browser"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done.json"
        if not done.exists():
            made = run_suites(folder)
            done.write_text(json.dumps({**asdict(made), "folder": str(folder)}))
        kept = json.loads(done.read_text())
    return Results(**{**kept, "folder": folder})


@pytest.fixture(scope="session")
def served(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Run `regrade dashboard` over them."""
    env = {**os.environ, "REGRADE_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}
    command = [sys.executable, "-m", "regrade", "dashboard", "--no-open", str(results.folder / "results")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout
            yield Served(process.stdout.readline().removeprefix("serving ").strip().rstrip("/"), results)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def browser(served: Served, chromium: str) -> Iterator[Browser]:
    """Start Chromium, and look at what is computed in the background until it is there.

    It ends with the module: while Playwright is open its loop is that of the thread; others want theirs.
    """
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = one.new_page()
        for name in ("overview", "compare", "compare-models", "compare-three"):
            page.goto(served.url + served.pages[name])
            page.wait_for_selector(SETTLED)
        page.close()
        yield one
        one.close()


def seat(browser: Browser, served: Served, **options: Any) -> Reader:
    """Return a reader in a context of his own: no cookies, no history."""
    made = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    made.set_default_timeout(TIMEOUT_MS)
    return Reader(made.new_page(), served)


@pytest.fixture(scope="module")
def opened(browser: Browser, served: Served, page_name: str) -> Iterator[Reader]:
    """Return a reader before each page in turn, for tests that leave it there; nothing went wrong then."""
    one = seat(browser, served)
    one.open(served.pages[page_name])
    one.page.wait_for_selector(SETTLED)
    yield one
    one.page.context.close()
    assert one.wrong == []


@pytest.fixture
def sit_down(browser: Browser, served: Served) -> Iterator[Callable[..., Reader]]:
    """Return what gives a reader, with options of the browser's context; in the end nothing went wrong."""
    readers: list[Reader] = []

    def make(**options: Any) -> Reader:
        readers.append(seat(browser, served, **options))
        return readers[-1]

    yield make
    for one in readers:
        one.page.context.close()
    assert [wrong for one in readers for wrong in one.wrong] == []


@pytest.fixture
def reader(sit_down: Callable[..., Reader]) -> Reader:
    """Return a reader at a window of 1280 by 800."""
    return sit_down()


@pytest.fixture(scope="session")
def axe(missing: Callable[[str], NoReturn]) -> str:
    """Return the source of axe-core."""
    if not AXE.exists():
        missing("axe-core is not installed in build/node: apt-get install nodejs npm, then `make test`")
    return AXE.read_text()
