"""The process that computes changes for the dashboard, so that its pages never wait for one.

    python -m regrade.dashboard.changing

Each line on its standard input is JSON: {"key": "...", "a": "...", "b": "..."}, paths of a run's folder or of
the file of a baseline. For each it writes a line: the key and either "changes" or an "error". It ends with
its input.
"""

import contextlib
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regrade.api.comparing import changes_between
from regrade.errors import PluginError, RegradeError
from regrade.jsonio import encode, loads
from regrade.plugins import Kind, Registry
from regrade.types import JsonObject

__all__ = ["OwnMetricsOnly", "main"]

_NICE = 10


class OwnMetricsOnly(Registry):
    """Plug-ins that are installed: who looks at results does not run code that a results folder names."""

    def load(self, kind: Kind, name: str, folder: Path | None = None) -> Any:
        """Return a plug-in that is installed.

        Raises:
            PluginError: For a file; `regrade compare` runs it.
        """
        if ":" in name:
            raise PluginError(f"the dashboard runs no code of a suite's own ({name}); `regrade compare` does")
        return super().load(kind, name, folder)


def main() -> int:
    """Compute what is asked for, one pair after the other; return the exit code."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    registry = OwnMetricsOnly()
    for line in sys.stdin.buffer:
        asked = loads(line)
        sys.stdout.buffer.write(encode({"key": asked["key"], **_answer(asked, registry)}) + b"\n")
        sys.stdout.buffer.flush()
    return 0


def _answer(asked: JsonObject, registry: Registry) -> JsonObject:
    try:
        # Paths, not texts: an arm's name may hold commas.
        found = changes_between(Path(asked["a"]), Path(asked["b"]), registry=registry)
    except RegradeError as error:
        return {"error": error.message}
    except Exception as error:  # noqa: BLE001 - one pair that fails leaves the others
        return {"error": f"{type(error).__name__}: {error}"}
    return {"changes": [asdict(one) for one in found]}


if __name__ == "__main__":
    sys.exit(main())
