"""What the user says about evals on the command line of pytest or in its ini file."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["SESSION", "Settings", "add_options", "near", "results_folder", "session_folder", "settings_of"]

SESSION = pytest.StashKey[str]()
"""Where the controller of xdist keeps the name of the session."""

_VARIABLE = "REGRADE_RESULTS"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the evals of this session are run.

    Attributes:
        results: Where runs and baselines lie.
        models: Names or globs of listed models, or ids of others; None for those of each spec.
        limit: Samples of each eval: a count, or a fraction below 1.
        baseline: In place of the one that a spec names.
        session: What the workers of xdist share; None without it.
    """

    results: Path
    models: tuple[str, ...] | None
    limit: int | float | None
    baseline: str | None
    session: str | None


def add_options(parser: pytest.Parser) -> None:
    """Describe the plug-in's options to pytest."""
    group = parser.getgroup("regrade", "evals (regrade)")
    group.addoption(
        "--regrade-limit",
        type=_limit,
        metavar="N",
        help="samples of each eval: a count, or a fraction (0.1, 10%%)",
    )
    group.addoption(
        "--regrade-model",
        action="append",
        default=[],
        metavar="NAME",
        help="only these models: names or globs of listed ones, or ids of others; repeatable, or with commas",
    )
    group.addoption(
        "--regrade-baseline", metavar="NAME", help="a baseline or run to hold against, in place of the specs'"
    )
    group.addoption(
        "--regrade-results",
        metavar="FOLDER",
        help=f"folder of the runs and baselines (default: results) [{_VARIABLE}]",
    )
    parser.addini("regrade_results", "folder of regrade's runs and baselines, beside this file", default="")


def settings_of(config: pytest.Config) -> Settings:
    """Return what was said; a worker of xdist was told the same as its controller."""
    from regrade.addresses import split

    named = [name.strip() for text in config.getoption("regrade_model") for name in split(text)]
    return Settings(
        results=results_folder(config),
        models=tuple(filter(None, named)) or None,
        limit=config.getoption("regrade_limit"),
        baseline=config.getoption("regrade_baseline"),
        session=getattr(config, "workerinput", {}).get("testrunuid"),
    )


def results_folder(config: pytest.Config) -> Path:
    """Return where runs lie: by the flag, the environment, the ini file, else `results` beside that or here.

    Without an ini file pytest takes the folder of the specs for its root; runs do not belong there.
    """
    here = config.invocation_params.dir
    said = config.getoption("regrade_results") or os.environ.get(_VARIABLE)
    if said:
        return here / said
    return (here if config.inipath is None else config.inipath.parent) / (
        config.getini("regrade_results") or "results"
    )


def session_folder(results: Path, session: str) -> Path:
    """Return where the workers of one session tell each other which runs there are."""
    return results / ".pytest" / session


def near(path: Path) -> Path:
    """Return a path as people read it, and as a run may keep it: relative where it lies below this folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _limit(text: str) -> int | float:
    """Read a count ("50") or a fraction ("0.1", "10%")."""
    percent = text.endswith("%")
    try:
        number = float(text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        number = 0.0
    if 0 < number < 1:
        return number
    if number >= 1 and number.is_integer() and not percent:
        return int(number)
    raise argparse.ArgumentTypeError(f"{text!r} is neither a count nor a fraction between 0 and 1")
