"""Results on a bad day, and as they grow: damaged, newer, of many models, of one run, under way."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, Page, expect, sync_playwright

import regrade
from regrade.addresses import RunAddress, SamplesAddress

LONG = "a-vendor/a-model-with-a-name-that-goes-on-and-on-2126-11-26-preview-instruct-fp8-dynamic"
MODELS = tuple(f"{LONG}-{n}" if n % 3 == 0 else f"model-{n}" for n in range(12))
FORMS = (
    "# Steps\n\n1. Read **both**.\n2. Run `make`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> A quotation.",
    '{"answer": 42, "because": ["it is", {"so": true}]}',
    "Like this:\n\n```python\ndef add(a: int, b: int) -> int:\n    return a + b\n```\n",
)
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
CHECK = (
    "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)"
)
WIDEST = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TIMEOUT_MS = 30_000
ASKED = 20


def recorded(name: str, answers: dict[str, str]) -> dict[str, Any]:
    """Return a model of recorded answers by the id of their sample."""
    path = f"{name.replace('/', '_')}.jsonl"
    Path(path).write_text(
        "".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in answers.items())
    )
    return {"name": name, "outputs": path, "id": "id", "text": "text"}


def run(name: str, models: list[dict[str, Any]], rows: list[dict[str, Any]], **more: Any) -> regrade.Run:
    """Run a suite that matches exactly."""
    spec = {
        "name": name,
        "dataset": {"rows": rows, "id": "id"},
        "models": models,
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
        **more,
    }
    Path(f"{name}.yaml").write_text(json.dumps(spec))
    return regrade.run(f"{name}.yaml")


def make_many(folder: Path) -> dict[str, str]:
    """Make runs of many models, of forms of answers, of epochs; and copies of one that are damaged."""
    with contextlib.chdir(folder):
        rows = [{"id": f"s{n}", "input": f"{n}+1", "target": str(n + 1)} for n in range(30)]
        models = [
            recorded(name, {f"s{n}": str(n + 1 if n % (place + 2) else 0) for n in range(30)})
            for place, name in enumerate(MODELS)
        ]
        many = run("many-models", [*models, recorded("silent", {"nobody": ""})], rows)
        asked = [{"id": f"f{n}", "input": "How?", "target": text[:20]} for n, text in enumerate(FORMS)]
        forms = run("forms", [recorded("writer", {f"f{n}": text for n, text in enumerate(FORMS)})], asked)
        demo = {"name": "shipped", "model": "demo/v1"}
        repeated = run("repeated", [demo], rows[:6], epochs=3)
    results = folder / "results"
    damages: dict[str, Callable[[Path], object]] = {
        "20200101-000000-cut000": lambda path: cut(path / "run.json"),
        "20200102-000000-torn00": lambda path: cut(path / "samples.parquet"),
        "20200103-000000-bare00": bare,
        "20200104-000000-newer0": lambda path: renumber(path / "run.json"),
        "20200105-000000-stop00": stop,
    }
    for name, damage in damages.items():
        shutil.copytree(results / forms.id, results / name)
        damage(results / name)
    return {"many": many.id, "forms": forms.id, "repeated": repeated.id}


def bare(path: Path) -> None:
    """Leave the journal of a run alone."""
    for one in path.iterdir():
        if one.suffix != ".jsonl":
            one.unlink()


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def renumber(path: Path) -> None:
    """Let a manifest be of a version that is still to come."""
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))


def stop(path: Path) -> None:
    """Leave a run as one whose process was killed before its end."""
    for table in path.glob("*.parquet"):
        table.unlink()
    manifest = {**json.loads((path / "run.json").read_text()), "status": "started", "finished_at": ""}
    (path / "run.json").write_text(json.dumps(manifest))
    (path / "run.lock").write_text(json.dumps({"pid": 2**22 + 1, "host": os.uname().nodename}))


@contextlib.contextmanager
def dashboard(results: Path) -> Iterator[str]:
    """Run `regrade dashboard` and give its address."""
    env = {**os.environ, "REGRADE_CACHE_DIR": str(results.parent / "cache"), "REGRADE_RESULTS": str(results)}
    command = [sys.executable, "-m", "regrade", "dashboard", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().removeprefix("serving ").strip().rstrip("/")
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def bad(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the runs of a bad day, by name, and the address of the dashboard over them."""
    folder = tmp_path_factory.mktemp("bad")
    with contextlib.ExitStack() as stack:
        ids = make_many(folder)
        yield {**ids, "url": stack.enter_context(dashboard(folder / "results"))}


@pytest.fixture(scope="module")
def browser(bad: dict[str, str], chromium: str) -> Iterator[Browser]:
    """Start Chromium once the runs are made; while it is open its loop is that of the thread."""
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield one
        one.close()


def fits(page: Page) -> None:
    """Find that a page fits a phone and a screen."""
    over = {}
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        over[width] = page.evaluate(WIDEST)
    assert over == {320: 0, 1280: 0}


def meets(page: Page, axe: str) -> None:
    """Find that a page meets WCAG 2.2 AA in the dark."""
    page.emulate_media(color_scheme="dark")
    page.evaluate(axe)
    found = page.evaluate(CHECK, STANDARD)
    assert [(one["id"], node["html"][:300]) for one in found for node in one["nodes"]] == []


STATES: dict[str, tuple[Callable[[dict[str, str]], str], tuple[str, ...]]] = {
    "overview": (
        lambda ids: "/",
        ("1 run is newer than this regrade", "20200101-000000-cut000", "has no run.json", "8 of 15 models"),
    ),
    "all models": (lambda ids: f"/?model={','.join(MODELS)}", ("12 of 15 models", "preview-instruct-fp8")),
    "many models": (
        lambda ids: RunAddress(ids["many"]).url(),
        ("no answer to score: missing output", "3 folders or files cannot be read", "1="),
    ),
    "failures alone": (
        lambda ids: SamplesAddress(ids["many"]).url(model=("silent",), pick="first"),
        ("no answer: missing output", "failed"),
    ),
    "manifest cut": (
        lambda ids: "/run/20200101-000000-cut000",
        ("This run cannot be read", "Take run.json from a copy"),
    ),
    "table cut": (
        lambda ids: "/run/20200102-000000-torn00",
        ("The samples cannot be read", "regrade run --resume 20200102-000000-torn00"),
    ),
    "journal alone": (lambda ids: "/run/20200103-000000-bare00", ("has no run.json",)),
    "newer": (
        lambda ids: "/run/20200104-000000-newer0",
        ("This run is newer than this regrade", "pip install -U regrade"),
    ),
    "stopped": (
        lambda ids: "/run/20200105-000000-stop00",
        ("This run stopped without a word", "What its journal holds", "3 of 3"),
    ),
    "epochs": (
        lambda ids: SamplesAddress(ids["repeated"]).url(pick="first"),
        ("epoch 1 of 3", "epoch 2", "Epochs"),
    ),
}

UNREADABLE = {"manifest cut", "journal alone", "newer"}


@pytest.mark.parametrize("name", STATES)
def test_a_bad_day_is_told(browser: Browser, bad: dict[str, str], name: str) -> None:
    """Each state says what is wrong and what helps, on every screen."""
    path, words = STATES[name]
    page = browser.new_page()
    answer = page.goto(bad["url"] + path(bad))
    assert answer is not None
    assert answer.status == (503 if name in UNREADABLE else 200)
    said = page.locator("main").inner_text()
    assert [one for one in words if one not in said] == []
    fits(page)
    page.close()


@pytest.mark.parametrize("name", ["overview", "all models", "table cut", "stopped"])
def test_a_bad_day_is_told_to_everybody(browser: Browser, bad: dict[str, str], axe: str, name: str) -> None:
    """Notices, journals and wide tables meet WCAG 2.2 AA, as far as a program can tell."""
    page = browser.new_page()
    page.goto(bad["url"] + STATES[name][0](bad))
    meets(page, axe)
    page.close()


def test_answers_are_shown_as_what_they_are(browser: Browser, bad: dict[str, str], axe: str) -> None:
    """Markdown, JSON and code, one after the other by the key; raw they are what was recorded."""
    page = browser.new_page()
    page.goto(bad["url"] + SamplesAddress(bad["forms"]).url(pick="first"))
    answer = page.locator("#sample .msg.assistant")
    expect(answer.locator("ol li")).to_have_count(2)
    expect(answer.locator("table td")).to_have_text(["1", "2"])
    meets(page, axe)
    page.keyboard.press("j")
    expect(answer.locator("pre")).to_contain_text('"because": [')
    page.keyboard.press("j")
    expect(answer.locator("pre")).to_contain_text("def add(a: int, b: int) -> int:")
    page.keyboard.press("r")
    expect(page.locator("#sample")).to_contain_text("```python")
    page.close()


@dataclass
class Stepwise:
    """An endpoint that answers as many requests as it is told to, the fifth with an error.

    Attributes:
        allowed: How many.
        seen: How many arrived.
        loop: Where it runs.
        more: Told whenever more are allowed.
    """

    allowed: int = 6
    seen: int = 0
    loop: asyncio.AbstractEventLoop | None = None
    more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        """Answer when it is the turn."""
        self.loop = asyncio.get_running_loop()
        self.seen += 1
        place = self.seen
        async with self.more:
            await self.more.wait_for(lambda: place <= self.allowed)
        if place == 5:
            return web.json_response({"error": {"message": "no such thing"}}, status=400)
        message = {"role": "assistant", "content": "1" if place % 4 else "2"}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return web.json_response(
            {"id": "x", "object": "chat.completion", "model": "m", "choices": choices, "usage": usage}
        )

    def allow(self, count: int) -> None:
        """Let so many be answered in all."""

        async def tell() -> None:
            async with self.more:
                self.allowed = count
                self.more.notify_all()

        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(tell(), self.loop).result()


@contextlib.contextmanager
def running(folder: Path, url: str) -> Iterator[None]:
    """Run a suite in another process, one request at a time."""
    rows = [{"id": f"s{n}", "input": f"{n}", "target": "1"} for n in range(ASKED)]
    spec = {
        "name": "waits",
        "dataset": {"rows": rows, "id": "id"},
        "models": [{"name": "slow", "base_url": url, "price": {"prompt": 1.0, "completion": 2.0}}],
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
    }
    (folder / "waits.yaml").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "regrade", "run", "waits.yaml", "--max-connections", "1"]
    with (
        (folder / "said.txt").open("wb") as said,
        subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield
        finally:
            process.kill()


def test_the_first_run_is_seen_from_its_beginning_to_its_end(
    browser: Browser, workdir: Path, serve: Any, axe: str
) -> None:
    """An empty page finds it, its own page follows it and becomes the finished one; nobody reloads."""
    steps = Stepwise()
    page = browser.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    expect.set_options(timeout=TIMEOUT_MS)
    with dashboard(workdir / "results") as url:
        page.goto(url)
        expect(page.locator("#notices")).to_contain_text("No runs in")
        page.evaluate("window.stays = true")
        with running(workdir, serve(steps.handle).base_url):
            card = page.locator("section[aria-labelledby=rn]")
            expect(card).to_contain_text("6 of 20")
            assert page.evaluate("window.stays === true")
            card.get_by_role("link", name="waits").click()
            progress = page.locator("#progress")
            for count in range(7, 11):  # a second each at least: what is scored is told after two
                steps.allow(count)
                expect(progress).to_contain_text(f"{count} of 20")
            for words in ("Rate", "Time left", "of about $", "1 bad request", "accuracy, % so far"):
                expect(progress).to_contain_text(words)
            fits(page)
            meets(page, axe)
            page.evaluate("window.stays = true")
            steps.allow(ASKED)
            expect(page.locator("#models1")).to_contain_text("slow")
            expect(progress).to_have_count(0)
            assert page.evaluate("window.stays === true")
        page.goto(url)
        expect(page.locator("#notices")).to_contain_text("One run, nothing to compare with")
    page.close()
