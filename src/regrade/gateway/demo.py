"""Starts and stops the demo gateway: a child process that serves the shipped models on loopback."""

import ipaddress
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.util import find_spec
from types import TracebackType
from typing import IO, Self

from regrade import jsonio
from regrade.errors import GatewayError, MissingExtraError, UsageError
from regrade.gateway.models import DemoModel, demo_models
from regrade.types import JsonObject

__all__ = ["DemoGateway", "serve_demo"]

_START_S = 60.0
_STOP_S = 5.0
_LOG_LINES = 40
_LOG_LINE_BYTES = 4096
_OTHER_WAY = "any OpenAI-compatible endpoint does as well: set OPENAI_BASE_URL, or `base_url` of a model"


class DemoGateway:
    """The demo models behind the OpenAI API on a loopback port, in a child process.

    Use it with `with`, or call `start` and `stop`. The child ends with this process however that ends.

    Args:
        host: A loopback address or name.
        port: 0 takes a free one.
        models: Load only these; default all that are shipped.

    Attributes:
        models: What it serves.
        base_url: Where clients send requests, once started.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, models: Iterable[str] | None = None) -> None:
        _require_loopback(host)
        self.models: list[DemoModel] = demo_models(models)
        self.base_url = ""
        self._host = host
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._log: deque[bytes] = deque(maxlen=_LOG_LINES)
        self._reader: threading.Thread | None = None

    def start(self) -> Self:
        """Start the child and wait until it serves.

        Raises:
            MissingExtraError: When the packages of the extra `demo` are not installed.
            GatewayError: When it does not come up, with what it said.
        """
        _require_packages()
        try:
            ready = self._launch()
        except BaseException:
            self.stop()
            raise
        if "port" not in ready:
            self.stop()
            if "error" in ready:
                raise GatewayError(ready["error"])
            raise GatewayError(f"the demo gateway did not start{self._last_words()}", hint=_OTHER_WAY)
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url = f"http://{host}:{ready['port']}/api/v1"
        return self

    def wait(self) -> None:
        """Block until the child ends by itself, which it should not.

        Raises:
            GatewayError: When it did.
        """
        assert self._process
        code = self._process.wait()
        self.stop()
        raise GatewayError(f"the demo gateway ended with exit code {code}{self._last_words()}")

    def stop(self) -> None:
        """End the child and wait for it; harmless when it has ended or never started."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin
        assert process.stdout
        assert process.stderr
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
        command = [sys.executable, "-P", "-m", "regrade.gateway.child"]
        command += ["--host", self._host, "--port", str(self._port)]
        for model in self.models:
            command += ["--model", model.id]
        process = subprocess.Popen(  # noqa: S603 - our own module with checked arguments
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Ctrl-C reaches this process alone, which may still have answers to fetch.
            start_new_session=True,
        )
        assert process.stdout
        assert process.stderr
        self._process = process
        self._reader = threading.Thread(target=_keep_tail, args=(process.stderr, self._log), daemon=True)
        self._reader.start()
        patience = threading.Timer(_START_S, process.kill)
        patience.start()
        try:
            return _first_message(process.stdout)
        finally:
            patience.cancel()

    def _last_words(self) -> str:
        text = b"".join(self._log).decode("utf-8", "replace").strip()
        return f"; it said:\n{text}" if text else ""


def serve_demo(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    models: Iterable[str] | None = None,
    ready: Callable[[DemoGateway], None] = lambda _: None,
) -> None:
    """Serve the demo models until Ctrl-C.

    Args:
        host: A loopback address or name.
        port: 0 takes a free one.
        models: Load only these; default all that are shipped.
        ready: Called once with the running gateway.

    Raises:
        UsageError: When the host is not loopback or a model is not shipped.
        MissingExtraError: When the packages of the extra `demo` are not installed.
        GatewayError: When it does not start or stops by itself.
    """
    with suppress(KeyboardInterrupt), DemoGateway(host, port, models) as gateway:
        ready(gateway)
        gateway.wait()


def _require_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise UsageError(
            f"the demo gateway takes any key and so serves only this machine, not {host!r}",
            hint="use 127.0.0.1, ::1 or localhost",
        )


def _require_packages() -> None:
    for package in ("xllamacpp", "starlette", "uvicorn"):
        if find_spec(package) is None:
            error = MissingExtraError(package, "demo", "the demo gateway")
            error.hint = f"{error.hint}\n  where {package} has no wheel, {_OTHER_WAY}"
            raise error


def _first_message(stream: IO[bytes]) -> JsonObject:
    try:
        message = jsonio.loads(stream.readline())
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _keep_tail(stream: IO[bytes], log: deque[bytes]) -> None:
    while line := stream.readline(_LOG_LINE_BYTES):
        log.append(line)
