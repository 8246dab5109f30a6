"""What a caller may say about a run beside the specs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values

__all__ = ["RunOptions", "environment"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run; what is None is left to the spec, or to the run that is resumed.

    Attributes:
        models: Names or globs of listed models, or ids of others; in place of the specs' lists.
        limit: Samples of each eval: a count, or a fraction below 1.
        epochs: How often each sample is asked.
        max_connections: Requests in flight, over all models.
        min_connections: Requests in flight that every model is always allowed.
        max_retries: Attempts of a request after the first.
        timeout_s: Seconds for one attempt.
        results: Where run folders lie.
        resume: A run to complete; finished requests are not sent again. `auto` takes the newest unfinished
            run over the same evals, or begins a new one.
        retry_failed: Whether requests that failed for good are sent again on resume.
        cache: Whether answers are taken from, and kept in, the cache across runs.
        record: The folder of a cassette that every exchange with an endpoint is added to.
        replay: The folder of a cassette that answers in place of the endpoints; nothing is sent.
        redact: JSON paths of values that are not recorded, beside keys.
        redact_patterns: Regular expressions of texts that are not recorded.
        durability: `os`: an answer survives the end of the process before it counts; `disk`: also of power.
        max_cost: US dollars that the sitting may spend, by the prices of the models.
        max_tokens_total: Tokens that it may use, prompts and answers together.
        max_requests: Attempts that it may send.
        max_time_s: Seconds after which it starts nothing more.
        max_failures: Requests that may end without an answer: a count, or a fraction of all planned.
        level: Of the intervals.
        seed: Of resampling where a metric needs it.
    """

    models: Sequence[str] | None = None
    limit: int | float | None = None
    epochs: int | None = None
    max_connections: int = 32
    min_connections: int = 1
    max_retries: int = 6
    timeout_s: float = 600.0
    results: Path = Path("results")
    resume: str | None = None
    retry_failed: bool = False
    cache: bool = False
    record: Path | None = None
    replay: Path | None = None
    redact: Sequence[str] = ()
    redact_patterns: Sequence[str] = ()
    durability: Literal["os", "disk"] = "os"
    max_cost: float | None = None
    max_tokens_total: int | None = None
    max_requests: int | None = None
    max_time_s: float | None = None
    max_failures: int | float | None = None
    level: float = 0.95
    seed: int = 0


def environment(folder: Path | None = None) -> Mapping[str, str]:
    """Return the environment variables, with those of a `.env` file under them; changes neither."""
    path = (folder or Path.cwd()) / ".env"
    from_file = dotenv_values(path) if path.is_file() else {}
    return {**{name: value for name, value in from_file.items() if value is not None}, **os.environ}
