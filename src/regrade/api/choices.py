"""Multiple choice in a spec: compiled, and checked before anything is sent."""

from collections.abc import Collection, Iterator

from regrade.choices import lettered, target_letter
from regrade.errors import DatasetError, Problem, SpecError, TemplateError
from regrade.plan import MOST_OPTIONS, CompiledChoices
from regrade.spec import ChoicesSpec, ModelSpec, SpecFile
from regrade.templates import FieldMapping
from regrade.types import ChoiceMode, Choices, Json, Sample

__all__ = ["check_options", "compile_choices", "first_options", "modes_at_hand"]

_LETTERS = 26
_SCORER = "choice"


def compile_choices(file: SpecFile) -> CompiledChoices | None:
    """Return the options of a spec; None where it has none.

    Raises:
        SpecError: What is wrong with them, with its place.
    """
    spec = file.spec.choices
    if spec is None:
        return None
    problems = list(_problems(file, spec))
    options: Json = spec.options
    if isinstance(options, str):
        try:
            options = FieldMapping(options)
        except TemplateError as error:
            problems.append(file.problem(("choices", "options"), error.message, error.hint))
    if problems:
        raise SpecError(problems)
    return CompiledChoices(
        options, spec.mode, spec.continuation, spec.separator, spec.top_logprobs, dict(file.spec.vars)
    )


def _problems(file: SpecFile, spec: ChoicesSpec) -> Iterator[Problem]:
    uses = [(place, use) for place, use in enumerate(file.spec.scorers) if use.name == _SCORER]
    if not uses:
        message = f"choices are judged by the scorer `{_SCORER}`, which is not among the scorers"
        yield file.problem(("choices",), message, f"scorers: [{_SCORER}]")
    for place, use in uses:
        if use.arguments:
            message = f"the options stand under `choices:`; leave out those of {use.title}"
            yield file.problem(("scorers", place), message)
    if not isinstance(spec.options, str):
        yield from _fixed(file, spec)
    for model in file.spec.models:
        refusal = _refusal(spec, model)
        if refusal:
            yield file.problem(("choices", "mode"), f'"{model.name}" {refusal}')


def _fixed(file: SpecFile, spec: ChoicesSpec) -> Iterator[Problem]:
    node = ("choices", "options")
    try:
        names = lettered(spec.options, MOST_OPTIONS)
    except ValueError as error:
        yield file.problem(node, str(error))
        return
    texts = spec.options.values() if isinstance(spec.options, dict) else spec.options
    if any(not str(text).strip() for text in texts):
        yield file.problem(node, "an option is empty")
    if len(names) > _LETTERS and spec.mode in {"first_token", "text"}:
        yield file.problem(node, f"{len(names)} options are more than there are letters for {spec.mode}")


def _refusal(spec: ChoicesSpec, model: ModelSpec) -> str:
    """Return why a model cannot be asked in the mode that the spec sets; empty where it can."""
    if spec.mode in {"auto", "text"}:
        return ""
    if model.outputs or model.python:
        return f"brings answers and no log-probabilities, which {spec.mode} needs"
    if spec.mode == "loglikelihood" and model.endpoint == "chat":
        return "takes chat; loglikelihood needs `endpoint: completions` and a prompt with `text:`"
    return ""


def modes_at_hand(file: SpecFile) -> frozenset[ChoiceMode]:
    """Return the modes in which a spec's options may be asked, as far as it tells."""
    spec = file.spec.choices
    if spec is None:
        return frozenset()
    if spec.mode != "auto":
        return frozenset({spec.mode})
    chat = any(model.endpoint == "chat" for model in file.spec.models)
    return frozenset({"first_token"}) if chat else frozenset({"loglikelihood"})


def check_options(
    file: SpecFile,
    choices: CompiledChoices,
    sample: Sample,
    modes: Collection[ChoiceMode],
    *,
    first: bool = False,
) -> None:
    """Refuse a sample whose options are none, or whose target is none of them.

    Args:
        file: The spec.
        choices: Its options.
        sample: To look at.
        modes: In which it will be asked.
        first: Whether it is the first one: what it does not have at all, the spec names wrongly.

    Raises:
        DatasetError: Naming the sample and its line.
        SpecError: Options that the first sample does not have.
    """
    try:
        laid = [choices.of(sample, mode) for mode in sorted(modes)]
    except DatasetError as error:
        if first and isinstance(error.__cause__, TemplateError):
            message = f"options: {error.__cause__.message}"
            raise SpecError([file.problem(("choices", "options"), message, error.hint)]) from error
        raise DatasetError(f"{file.spec.name}: {error.message}", hint=error.hint) from error
    steps = [use.normalize for use in file.spec.scorers if use.name == _SCORER]
    if not laid or any(steps):
        return  # what the target is after the scorer's own steps, the scorer says
    options = {option.letter: option.text for option in laid[0].options}
    targets = sample.target if isinstance(sample.target, list) else [sample.target]
    for target in targets:
        if target_letter(target, options) is None:
            line = f" in line {sample.line}" if sample.line else ""
            raise DatasetError(
                f'{file.spec.name}: sample "{sample.id}"{line}: the target {target!r} is none of the options '
                f"{', '.join(f'{letter} ({text})' for letter, text in list(options.items())[:_LETTERS])}",
                hint="a target is an option's letter, its text, or its index from 0",
            )


def first_options(choices: CompiledChoices | None, sample: Sample) -> Choices | None:
    """Return a sample's options as a scorer needs them that reads what a model wrote."""
    if choices is None:
        return None
    try:
        return choices.of(sample, "text")
    except DatasetError:
        return choices.of(sample, "loglikelihood")  # more options than letters
