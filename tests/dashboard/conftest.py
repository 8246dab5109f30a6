"""Results of real runs over recorded answers, a dashboard over them on loopback, a reader of its pages."""

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
import uvicorn

import regrade
from regrade.dashboard.app import make_dashboard
from regrade.dashboard.serving import listen
from regrade.dashboard.settings import DashboardSettings

HTML = "{http://www.w3.org/1999/xhtml}"
NOW = datetime(2126, 11, 26, 12, 0, tzinfo=UTC)


@dataclass
class Answer:
    """What the dashboard sent.

    Attributes:
        status: Of HTTP.
        headers: By lower-case name; of one that repeats, the last.
        body: As it came.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode()

    @property
    def tree(self) -> Element:
        """Return the page as browsers read it; it has to be HTML without a mistake."""
        parser = html5lib.HTMLParser(strict=False)
        tree: Element = parser.parse(self.body)
        assert [error for _, error, _ in parser.errors] == []
        return tree

    def find(self, path: str) -> list[Element]:
        """Return elements of the page, by an XPath with names of HTML such as `.//h1[@id='x']`."""
        parts = [f"{HTML}{one}" if one[:1].isalpha() else one for one in path.split("/")]
        return self.tree.findall("/".join(parts))

    def words(self, path: str) -> list[str]:
        """Return the text of elements, each on one line."""
        return [" ".join("".join(one.itertext()).split()) for one in self.find(path)]


@dataclass
class Dashboard:
    """A running dashboard.

    Attributes:
        port: Where it listens on loopback.
        headers: Sent with every request.
    """

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """Ask once; `Host` is that of the address unless it is given; `_` in names stands for `-`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, body, {**self.headers, **named})
            reply = connection.getresponse()
            found = {name.lower(): text for name, text in reply.getheaders()}
            return Answer(reply.status, found, reply.read())
        finally:
            connection.close()


class Server(uvicorn.Server):
    """A server that ends as soon as it is told to; that of uvicorn looks for it ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told: asyncio.Event | None = None
        self._runs = threading.Event()

    async def main_loop(self) -> None:
        """Serve until the end."""
        await self.on_tick(0)  # headers that all answers share
        self._loop, self._told = asyncio.get_running_loop(), asyncio.Event()
        self._runs.set()
        await self._told.wait()

    def end(self) -> None:
        """End from another thread."""
        assert self._runs.wait(30)
        assert self._loop
        assert self._told
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)


@contextlib.contextmanager
def served_results(
    results: Sequence[Path | str], settings: DashboardSettings, **more: Any
) -> Iterator[Dashboard]:
    """Run a dashboard in a thread of this process, as `regrade dashboard` does in its main one."""
    app = make_dashboard(results, settings, now=lambda: NOW, **more)
    listener = listen(settings)
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", server_header=False)
    server = Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Dashboard(listener.getsockname()[1])
    finally:
        server.end()
        thread.join()
        listener.close()
        app.state.site.close()


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Callable[..., Dashboard]]:
    """Return what starts a dashboard over results folders; all end with the test."""
    open_ones: list[Any] = []

    def start(*results: Path | str, pages: Any = None, **settings: Any) -> Dashboard:
        chosen = DashboardSettings(**{"cache": tmp_path / "cache", **settings})
        one = served_results(results or ("results",), chosen, **({} if pages is None else {"pages": pages}))
        open_ones.append(one)
        return one.__enter__()

    yield start
    for one in open_ones:
        one.__exit__(None, None, None)


def recorded(name: str, wrong: int, failed: int = 0, count: int = 20) -> dict[str, Any]:
    """Return a model of recorded answers to `sums`.

    Args:
        name: Of the model.
        wrong: How many of the first answers are wrong.
        failed: How many of the last samples have no answer.
        count: Of samples.
    """
    rows = [{"id": f"s{n}", "text": "0" if n < wrong else str(2 * n + 1)} for n in range(count - failed)]
    path = f"{name.replace('/', '_')}.jsonl"
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"name": name, "outputs": path, "id": "id", "text": "text"}


def sums(models: Sequence[dict[str, Any]], name: str = "sums", count: int = 20, **more: Any) -> regrade.Run:
    """Run a suite of sums over models of recorded answers."""
    rows = [{"id": f"s{n}", "input": f"{n}+{n + 1}", "target": str(2 * n + 1)} for n in range(count)]
    spec = {
        "name": name,
        "dataset": {"rows": rows, "id": "id"},
        "models": list(models),
        "prompt": "{{ input }}",
        "scorers": ["exact_match"],
        **more,
    }
    path = Path(f"{name}.yaml")
    path.write_text(json.dumps(spec))
    return regrade.run(path)


@pytest.fixture(scope="session")
def serving() -> Any:
    """Return what runs a dashboard within a `with`."""
    return served_results


@pytest.fixture(scope="session")
def answers() -> Callable[..., dict[str, Any]]:
    """Return `recorded`, for runs that several tests share."""
    return recorded


@pytest.fixture(scope="session")
def suite() -> Callable[..., regrade.Run]:
    """Return `sums`, for runs that several tests share."""
    return sums


@pytest.fixture
def model() -> Callable[..., dict[str, Any]]:
    """Return `recorded`, which makes a model of recorded answers."""
    return recorded


@pytest.fixture
def run(workdir: Path) -> Callable[..., regrade.Run]:
    """Return `sums`, which runs a suite in an empty folder."""
    return sums


@pytest.fixture(scope="session")
def two_models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run of two models: one right, one wrong twelve times of 20; to be read only."""
    folder = tmp_path_factory.mktemp("two-models")
    with contextlib.chdir(folder):
        sums([recorded("good", 0), recorded("poor", 12)])
    return folder


@pytest.fixture
def two_models(two_models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> regrade.Run:
    """Return that run, and work in its folder."""
    monkeypatch.chdir(two_models_folder)
    return regrade.open_run()
