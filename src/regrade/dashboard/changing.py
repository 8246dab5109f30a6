"""The process that compares runs for the dashboard, so that its pages never wait for one.

    python -m regrade.dashboard.changing

Each line on its standard input is JSON: {"key": "...", "a": "...", "b": "..."}, paths of a run's folder or of
the file of a baseline. For each it writes a line: the key, "done" and either "changes" or an "error".

With "listed" it is asked for the whole comparison, with so many flips of a kind at most: "arm_a" and "arm_b"
choose model and prompt. First come lines with "flips" (of the group "group", its kind "kind" and in it the
stretch "stretch"), then one with the "comparison" without them. With "scorer" it is asked how often models of
the run "a" said the same. With "sides", each a path, a model and a prompt, every two of them are compared:
"several". It ends with its input.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regrade.api.comparing import changes_between, listed_comparison
from regrade.api.several import compare_several
from regrade.api.sources import ArmChoice
from regrade.comparisons import Comparison
from regrade.dashboard.parts import parts_of
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
    """Compute what is asked for, one after the other; return the exit code."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    registry = OwnMetricsOnly()
    for line in sys.stdin.buffer:
        asked = loads(line)
        for answer in _answers(asked, registry):
            sys.stdout.buffer.write(encode({"key": asked["key"], **answer}) + b"\n")
        sys.stdout.buffer.flush()
    return 0


def _answers(asked: JsonObject, registry: Registry) -> Iterator[JsonObject]:
    try:
        if "listed" in asked:
            yield from parts_of(_compared(asked, registry))
        elif "sides" in asked:
            sides = [ArmChoice(*one) for one in asked["sides"]]
            yield {"several": asdict(compare_several(sides, registry=registry)), "done": True}
        elif "scorer" in asked:
            yield {"agreement": _agreement(asked), "done": True}
        else:
            # Paths, not texts: an arm's name may hold commas.
            found = changes_between(Path(asked["a"]), Path(asked["b"]), registry=registry)
            yield {"changes": [asdict(one) for one in found], "done": True}
    except RegradeError as error:
        yield {"error": error.message, "hint": error.hint or "", "done": True}
    except Exception as error:  # noqa: BLE001 - one that fails leaves the others
        yield {"error": f"{type(error).__name__}: {error}", "done": True}


def _compared(asked: JsonObject, registry: Registry) -> Comparison:
    a, b = (ArmChoice(asked[side], *asked[f"arm_{side}"]) for side in ("a", "b"))
    return listed_comparison(a, b, registry=registry, listed=int(asked["listed"]))


def _agreement(asked: JsonObject) -> list[JsonObject]:
    from regrade.store import RunFolder
    from regrade.store.sample_figures import agreement
    from regrade.store.sample_queries import SampleQueries

    queries = SampleQueries(RunFolder(Path(asked["a"])))
    try:
        found = agreement(queries, asked["eval"], asked["scorer"], asked["prompt"])
        return [asdict(one) for one in found]
    finally:
        queries.close()


if __name__ == "__main__":
    sys.exit(main())
