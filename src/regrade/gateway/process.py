"""Starts and stops the server: a child process that ends with its parent, however that ends."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from regrade import jsonio
from regrade.errors import GatewayError, MissingExtraError, UsageError
from regrade.gateway.keys import KeyStore, were_keys_made
from regrade.gateway.models import demo_models
from regrade.gateway.settings import GatewaySettings, Mode
from regrade.types import JsonObject

__all__ = ["Gateway", "Served", "demo_gateway", "serve"]

_START_S = 60.0
_STOP_S = 5.0
_LOG_LINES = 40
_LOG_LINE_BYTES = 4096
_OTHER_WAY = "any OpenAI-compatible endpoint does as well: set OPENAI_BASE_URL, or `base_url` of a model"


@dataclass(frozen=True, slots=True)
class Served:
    """One model of a running gateway.

    Attributes:
        id: What clients ask for.
        context_window: In tokens, where known.
        mode: Where its answers come from.
        upstream: The host behind it; empty when there is none.
    """

    id: str
    context_window: int | None
    mode: Mode
    upstream: str


class Gateway:
    """The OpenAI API on a port of its own, in a child process.

    Use it with `with`, or call `start` and `stop`. The child ends with this process however that ends.

    Args:
        settings: What to serve.
        env: The child's environment, which holds the keys of upstreams; default this process's own.
        errors: Gets what the child writes to standard error, line by line.

    Attributes:
        settings: What to serve.
        models: What it serves, once started.
        base_url: Where clients send requests, once started.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        env: Mapping[str, str] | None = None,
        errors: Callable[[bytes], object] | None = None,
    ) -> None:
        require_keys(settings)
        self.settings = settings
        self.models: list[Served] = []
        self.base_url = ""
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None
        self._log: deque[bytes] = deque(maxlen=_LOG_LINES)
        self._errors = errors
        self._reader: threading.Thread | None = None

    @property
    def takes_any_key(self) -> bool:
        """Return whether no key was made so far, so that any will do."""
        path = self.settings.keys
        return path is None or not were_keys_made(Path(path))

    def start(self) -> Self:
        """Start the child and wait until it serves.

        Raises:
            MissingExtraError: When the packages of the extra it needs are not installed.
            GatewayError: When it does not come up, with what it said.
        """
        _require_packages(self.settings)
        try:
            ready = self._launch()
        except BaseException:
            self.stop()
            raise
        if "port" not in ready:
            self.stop()
            if "error" in ready:
                raise GatewayError(ready["error"], hint=ready.get("hint"))
            hint = _OTHER_WAY if self.settings.demo else None
            raise GatewayError(f"the gateway did not start{self._last_words()}", hint=hint)
        host = self.settings.host
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{ready['port']}/api/v1"
        self.models = [Served(**one) for one in ready["models"]]
        return self

    def wait(self) -> None:
        """Block until the child ends by itself, which it should not.

        Raises:
            GatewayError: When it did.
        """
        assert self._process
        code = self._process.wait()
        self.stop()
        raise GatewayError(f"the gateway ended with exit code {code}{self._last_words()}")

    def stop(self) -> None:
        """End the child and wait for it; harmless when it has ended or never started."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        assert process.stdout
        assert process.stderr
        with suppress(BrokenPipeError):  # it ended before it read its settings
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._reader:
            self._reader.join()
        process.stdout.close()
        process.stderr.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> JsonObject:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "regrade.gateway.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if self._env is None else {**os.environ, **self._env},
            # Ctrl-C reaches this process alone, which may still have answers to fetch.
            start_new_session=True,
        )
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._process = process
        self._reader = threading.Thread(target=self._read_errors, args=(process.stderr,), daemon=True)
        self._reader.start()
        patience = threading.Timer(_START_S, process.kill)
        patience.start()
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(self.settings.encode())
                process.stdin.flush()
            return _first_message(process.stdout)
        finally:
            patience.cancel()

    def _read_errors(self, stream: IO[bytes]) -> None:
        while line := stream.readline(_LOG_LINE_BYTES):
            self._log.append(line)
            if self._errors:
                self._errors(line)

    def _last_words(self) -> str:
        text = b"".join(self._log).decode("utf-8", "replace").strip()
        return f"; it said:\n{text}" if text else ""


def demo_gateway(models: Iterable[str] | None = None) -> Gateway:
    """Return a gateway for the shipped models, or for some of them, on a free port of loopback.

    Raises:
        UsageError: When one of them is not shipped.
    """
    return Gateway(GatewaySettings(demo=tuple(one.id for one in demo_models(models))))


def serve(
    settings: GatewaySettings, env: Mapping[str, str], ready: Callable[[Gateway], None] = lambda _: None
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        settings: What to serve.
        env: The environment, which holds the keys of upstreams.
        ready: Called once with the running gateway.

    Raises:
        UsageError: When the address needs keys and there is none.
        MissingExtraError: When the packages of the extra it needs are not installed.
        GatewayError: When it does not start or stops by itself.
    """
    with suppress(KeyboardInterrupt), _terminated(), Gateway(settings, env, _to_standard_error) as gateway:
        ready(gateway)
        gateway.wait()


@contextmanager
def _terminated() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _to_standard_error(line: bytes) -> None:
    sys.stderr.write(line.decode("utf-8", "replace"))
    sys.stderr.flush()


def require_keys(settings: GatewaySettings) -> None:
    """Refuse an address that other machines reach while no key is needed.

    Raises:
        UsageError: Saying how to make one.
    """
    if not settings.is_local and not _has_keys(settings.keys):
        raise UsageError(
            f"without a key the gateway takes any, and so serves only this machine, not {settings.host!r}",
            hint="make a key with: regrade gateway keys add NAME; or use 127.0.0.1, ::1 or localhost",
        )


def _has_keys(path: str | None) -> bool:
    if path is None or not Path(path).exists():
        return False
    with KeyStore(Path(path)) as store:
        return bool(store.in_force())


def _require_packages(settings: GatewaySettings) -> None:
    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "demo" if settings.demo else "gateway", "the gateway")
    if settings.demo and find_spec("xllamacpp") is None:
        error = MissingExtraError("xllamacpp", "demo", "serving the demo models")
        error.hint = f"{error.hint}\n  where xllamacpp has no wheel, {_OTHER_WAY}"
        raise error


def _first_message(stream: IO[bytes]) -> JsonObject:
    try:
        message = jsonio.loads(stream.readline())
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
