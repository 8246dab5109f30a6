"""Finding spec files and reading them, with every problem of all of them at once."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from regrade.errors import Problem, RegradeError, SpecError, UsageError
from regrade.plugins import Kind, Registry
from regrade.score import compile_steps
from regrade.spec import ArgumentProblem, CheckPlugin, SpecFile, build, check_arguments, load_spec
from regrade.spec.document import read_document
from regrade.types import Json

__all__ = ["find_specs", "known_plugins", "load_specs", "plugin_checker"]

_KINDS: tuple[Kind, ...] = ("loader", "provider", "scorer", "metric", "exporter")
_SUFFIXES = (".yaml", ".yml")


def find_specs(paths: Sequence[Path]) -> list[Path]:
    """Return the spec files that paths mean: files as they are, folders with all their suites.

    Files of a folder that hold nothing but `defaults` are for others to include, and are left out.

    Raises:
        UsageError: When a path does not exist or a folder holds no suite.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = [
                one for one in sorted(path.rglob("*")) if one.suffix in _SUFFIXES and not _is_shared(one)
            ]
            if not inside:
                raise UsageError(
                    f"{path}: no suite (*.yaml) in this folder", hint="`regrade init` writes one"
                )
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            near = path.with_suffix(".yaml")
            hint = f"did you mean {near}?" if near.is_file() else None
            raise UsageError(f"{path}: no such file or folder", hint=hint)
    return list(dict.fromkeys(found))


def _is_shared(path: Path) -> bool:
    try:
        return read_document(path).tree.keys() <= {"defaults"}
    except SpecError:
        return False


def known_plugins(registry: Registry) -> dict[str, list[str]]:
    """Return the names of all plug-ins by kind."""
    return {kind: registry.names(kind) for kind in _KINDS}


def plugin_checker(registry: Registry) -> CheckPlugin:
    """Return what tells the problems of one use of a plug-in."""

    def check(kind: str, name: str, arguments: Json, folder: Path) -> list[ArgumentProblem]:
        try:
            if kind == "steps":
                compile_steps(arguments.get("extract"), arguments.get("normalize"))
                return []
            plugin = registry.load(kind, name, folder)  # type: ignore[arg-type] # the spec names kinds of the table
            problems = check_arguments(plugin, arguments)
            if not problems and kind in {"scorer", "metric"}:
                build(plugin, arguments, folder)
        except RegradeError as error:
            return [((), error.message, error.hint)]
        return problems

    return check


def load_specs(paths: Sequence[Path], registry: Registry) -> list[SpecFile]:
    """Read all spec files.

    Raises:
        SpecError: The problems of all files at once.
        UsageError: When a path does not exist.
    """
    known = known_plugins(registry)
    checker = plugin_checker(registry)
    files: list[SpecFile] = []
    problems: list[Problem] = []
    for path in find_specs(paths):
        try:
            files.append(load_spec(path, known, checker))
        except SpecError as error:
            problems.extend(error.problems)
    problems.extend(_same_names(files))
    if problems:
        raise SpecError(problems)
    return files


def _same_names(files: Iterable[SpecFile]) -> list[Problem]:
    first: dict[str, SpecFile] = {}
    problems = []
    for file in files:
        name = file.spec.name
        if name in first:
            message = f'the name "{name}" is taken by {first[name].path}'
            problems.append(file.problem(("name",), message))
        first.setdefault(name, file)
    return problems
