"""`validate`: everything that can be known of a suite without a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from regrade.api.options import RunOptions
from regrade.api.prepare import PreparedEval, prepare, survey
from regrade.api.specs import find_specs, load_specs
from regrade.errors import Problem, RegradeError, SpecError
from regrade.plugins import Registry
from regrade.spec import SpecFile
from regrade.types import JsonObject, Messages, Sample

__all__ = ["CheckedEval", "RenderedPrompt", "validate"]


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """A prompt as the first sample gets it; exactly one of `messages` and `text` has content."""

    name: str
    messages: Messages
    text: str


@dataclass(frozen=True, slots=True)
class CheckedEval:
    """A suite that can run.

    Attributes:
        path: The spec.
        name: The eval.
        samples: How many.
        first: The first of them.
        prompts: Rendered for it.
        models: As listed.
        parameters: Of generation, as the spec has them for all models.
        epochs: Repeats.
        scorers: Titles.
        choice_mode: How multiple choice is asked, as the spec has it; None without options.
    """

    path: Path
    name: str
    samples: int
    first: Sample
    prompts: Sequence[RenderedPrompt]
    models: Sequence[str]
    parameters: JsonObject
    epochs: int
    scorers: Sequence[str]
    choice_mode: str | None = None


def validate(
    paths: Sequence[Path], registry: Registry | None = None, limit: float | None = None
) -> tuple[list[CheckedEval], list[Problem]]:
    """Check suites: the spec, its dataset, its templates. No model is asked or loaded.

    Returns:
        The suites that can run, and the problems of the others.

    Raises:
        UsageError: When a path does not exist.
    """
    registry = registry or Registry()
    checked: list[CheckedEval] = []
    problems: list[Problem] = []
    names: dict[str, Path] = {}
    for path in find_specs(paths):
        try:
            (file,) = load_specs([path], registry)
            options = RunOptions(limit=limit)
            one = _check(prepare(file, registry, options))
            if file.spec.gate is not None:
                problems.extend(_gate_problems(file, registry))
            if one.name in names:
                message = f'the name "{one.name}" is taken by {names[one.name]}'
                problems.append(file.problem(("name",), message))
                continue
            names[one.name] = path
            checked.append(one)
        except SpecError as error:
            problems.extend(error.problems)
        except RegradeError as error:
            message = error.message if error.where else f"{path}: {error.message}"
            problems.append(Problem(message, error.where, hint=error.hint))
    return checked, problems


def _gate_problems(file: SpecFile, registry: Registry) -> list[Problem]:
    from regrade.api.precheck import gate_problems  # with what compares, which most suites do not need

    return gate_problems(file, registry)


def _check(one: PreparedEval) -> CheckedEval:
    seen = survey(one)
    assert seen.first is not None
    first = seen.first
    spec = one.file.spec
    rendered = [RenderedPrompt(prompt.name, *prompt.render(first)) for prompt in one.prompts]
    return CheckedEval(
        path=one.file.path,
        name=one.name,
        samples=seen.count,
        first=first,
        prompts=rendered,
        models=[model.name for model in spec.models],
        parameters=one.parameters,
        epochs=one.epochs,
        scorers=[unit.title for unit in one.scorers.units],
        choice_mode=one.choices.mode if one.choices is not None else None,
    )
