"""The pytest plug-in: specs as test items, one per model and gate rule, and the fixture `regrade`.

pytest loads this file in every session, also in those that never see a spec: it imports the standard library
and pytest alone. Everything else is imported when the first spec is collected or the fixture is used.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regrade.pytest_plugin.settings import SESSION, add_options, results_folder, session_folder
from regrade.pytest_plugin.sighting import looks_like_spec

if TYPE_CHECKING:
    from regrade.pytest_plugin.collecting import SpecNode
    from regrade.pytest_plugin.harness import Harness

__all__ = [
    "pytest_addoption",
    "pytest_collect_file",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "pytest_unconfigure",
    "regrade_fixture",
]

_SUFFIXES = {".yaml", ".yml"}
_UNASKED = pytest.StashKey[list[str]]()
"""Specs that a session came across without having been asked for them."""

_SENT = "regrade_unasked"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--regrade-limit` and its like."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark of its items known."""
    config.addinivalue_line("markers", "regrade: a rule of an eval spec, or that its model answers")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SpecNode | None":
    """Collect a YAML file that is an eval spec; leave all others alone.

    A session that was given nothing to collect (`pytest` alone) does not run evals by accident: they may cost
    money. It says so at its end.
    """
    if file_path.suffix not in _SUFFIXES:
        return None
    if not looks_like_spec(file_path, named=parent.session.isinitpath(file_path)):
        return None
    config = parent.config
    if config.args_source is config.ArgsSource.INVOCATION_DIR:
        config.stash.setdefault(_UNASKED, []).append(str(file_path))
        return None
    from regrade.pytest_plugin.collecting import SpecNode

    return SpecNode.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the items of models that `--regrade-model` leaves out, so that pytest counts them."""
    out = [item for item in items if getattr(item, "regrade_left_out", False)]
    if out:
        items[:] = [item for item in items if not getattr(item, "regrade_left_out", False)]
        config.hook.pytest_deselected(items=out)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which runs stand behind the items, what was let through, and which specs nobody asked for."""
    from regrade.pytest_plugin.summing import summary_lines

    reports = [one for listed in terminalreporter.stats.values() for one in listed]
    unasked: list[str] = config.stash.get(_UNASKED, [])
    lines = summary_lines(reports, unasked)
    if lines:
        terminalreporter.section("regrade")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Keep the name of the session that xdist gives all its workers."""
    node.config.stash[SESSION] = node.workerinput["testrunuid"]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of xdist came across."""
    listed = node.config.stash.setdefault(_UNASKED, [])
    sent = getattr(node, "workeroutput", {}).get(_SENT, [])
    listed += [one for one in sent if one not in listed]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the controller of xdist what this worker came across."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_SENT] = session.config.stash.get(_UNASKED, [])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the workers of this session told each other."""
    name = config.stash.get(SESSION, None)
    if name is not None and not hasattr(config, "workerinput"):
        folder = session_folder(results_folder(config), name)
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # another session still uses it, or there was none
            folder.parent.rmdir()


@pytest.fixture(scope="session", name="regrade")
def regrade_fixture(pytestconfig: pytest.Config) -> "Harness":
    """Run an eval inside of a test: `regrade.run("evals/x.yaml").assert_at_least("accuracy", 0.9)`."""
    from regrade.pytest_plugin.harness import Harness
    from regrade.pytest_plugin.settings import settings_of

    return Harness(settings_of(pytestconfig))
