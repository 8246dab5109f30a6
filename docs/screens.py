"""Takes the pictures of the dashboard in README, `docs/images/*.webp`, in Chromium from runs of the demo suites.

Usage: python docs/screens.py [FOLDER]

FOLDER gets suites and results (default: a temporary one); results that are there are shown as they are. The candidate has
another model behind the name `shipped`: worse at arithmetic and tickets.
"""

import base64
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import sync_playwright

import regrade
from regrade.addresses import CompareAddress, SamplesAddress

ROOT = Path(__file__).parents[1]
EVALS = ("arithmetic", "orders", "tickets")
SIZE = {"width": 1280, "height": 800}
QUALITY = 80
LIMIT = 60
SETTLED = "main:not(:has([data-again]))"
GATE = {"baseline": "main", "rules": [{"rule": "no_regression", "metric": "accuracy"}]}


def suite(name: str, shipped: str) -> str:
    """Write a demo suite over three models, `shipped` being one or another, and return the file's name."""
    spec: dict[str, Any] = yaml.safe_load((ROOT / f"evals/{name}.yaml").read_text())
    spec["dataset"]["path"] = str(ROOT / f"datasets/{name}.jsonl")
    spec["models"] = [
        {"name": title, "model": f"demo/{model}", "price": {"prompt": prompt, "completion": completion}}
        for title, model, prompt, completion in (
            ("shipped", shipped, 0.6, 2.4),
            ("quantized", "v2-q4", 0.3, 1.2),
            ("small", "v1", 0.15, 0.6),
        )
    ]
    if name != "orders":
        spec["gate"] = GATE
    Path(f"{name}.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    return f"{name}.yaml"


def run_suites() -> None:
    """Run a baseline, then a candidate and its gate."""
    first = regrade.run([suite(name, "v2") for name in EVALS], limit=LIMIT)
    regrade.set_baseline("main", first)
    worse = {"arithmetic": "v3-bad", "tickets": "v3-bad"}
    second = regrade.run([suite(name, worse.get(name, "v2")) for name in EVALS], limit=LIMIT)
    regrade.gate(second.id, baseline="main")


def take(url: str) -> None:
    """Write one picture of each page."""
    run = regrade.open_run().id
    samples = SamplesAddress(run, eval="arithmetic", model=("shipped",), outcome=("wrong",), pick="first")
    pages = {
        "overview": ("/", "light"),
        "compare": (CompareAddress("main", run, eval="arithmetic").url(), "dark"),
        "story": (samples.url(), "light"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type] # a plain dict
        for name, (path, theme) in pages.items():
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type] # light or dark
            page.goto(url + path)
            page.wait_for_selector(SETTLED, timeout=120_000)
            page.reload()
            session = page.context.new_cdp_session(page)
            shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
            (ROOT / f"docs/images/{name}.webp").write_bytes(base64.b64decode(shot["data"]))
        browser.close()


def main(folder: Path) -> None:
    """Run what is not there yet, serve it, take the pictures."""
    env = {**os.environ, "REGRADE_CACHE_DIR": str(folder / "cache")}
    command = [sys.executable, "-m", "regrade", "dashboard", "--no-open"]
    with contextlib.chdir(folder):
        if not Path("results").exists():
            run_suites()
        with subprocess.Popen(  # noqa: S603 - this interpreter
            command, stdout=subprocess.PIPE, text=True, env=env
        ) as server:
            try:
                assert server.stdout
                take(server.stdout.readline().removeprefix("serving ").strip().rstrip("/"))
            finally:
                server.terminate()


if __name__ == "__main__":
    if sys.argv[1:]:
        main(Path(sys.argv[1]).resolve())
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made))
