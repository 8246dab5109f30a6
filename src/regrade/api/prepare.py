"""From a checked spec to an eval that can run: samples, compiled prompts, scorers, metrics."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from regrade.aggregate import EvalMetrics
from regrade.api.choices import check_options, compile_choices, modes_at_hand
from regrade.api.datasets import sample_reader
from regrade.api.measures import check_epochs, measure_records, metrics_of
from regrade.api.models import check_demo_models
from regrade.api.options import RunOptions
from regrade.api.prompting import compiled_prompts
from regrade.api.trying import ScorerTrial
from regrade.errors import BadRows, DatasetError, RegradeError, SpecError, TemplateError
from regrade.plan import CompiledChoices, CompiledPrompt, EvalPlan, sample_variables
from regrade.plugins import Registry
from regrade.protocols import AskingScorer
from regrade.samples import SampleReader
from regrade.score import EvalScorers, ScorerUnit, compile_steps
from regrade.spec import ScorerUse, SpecFile, build
from regrade.types import ChoiceMode, JsonObject, Model, Sample

__all__ = ["PreparedEval", "Survey", "SurveyedSamples", "prepare", "survey"]


@dataclass(frozen=True, slots=True)
class PreparedEval:
    """An eval with everything built that needs no model.

    Attributes:
        file: The spec and its places.
        samples: Read afresh at every iteration.
        prompts: Compiled, matrix spelled out.
        scorers: Built.
        measures: How scores are aggregated, as the manifest holds it.
        metrics: The same, built.
        parameters: Of generation, as sent.
        epochs: Repeats of each sample.
        choices: The options of multiple choice.
    """

    file: SpecFile
    samples: SampleReader
    prompts: Sequence[CompiledPrompt]
    scorers: EvalScorers
    measures: Sequence[JsonObject]
    metrics: EvalMetrics
    parameters: JsonObject
    epochs: int
    choices: CompiledChoices | None = None

    @property
    def name(self) -> str:
        """Return the eval's name."""
        return self.file.spec.name

    @property
    def judges(self) -> list[str]:
        """Return the names of the models that scorers ask."""
        asking = [unit.scorer for unit in self.scorers.units if isinstance(unit.scorer, AskingScorer)]
        return list(dict.fromkeys(name for scorer in asking for name in scorer.judges))

    def plan(self, models: Sequence[Model]) -> EvalPlan:
        """Return what the requests are made of."""
        return EvalPlan(
            self.name, self.samples, self.prompts, models, self.parameters, self.epochs, self.choices
        )

    def requests(self, models: Sequence[Model], samples: int) -> int:
        """Return how many answers are asked for."""
        arms = sum(model.endpoint == prompt.endpoint for model in models for prompt in self.prompts)
        return arms * samples * self.epochs


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a dataset showed.

    Attributes:
        count: Samples.
        fingerprint: Hash over all ids and contents, in order.
        first: The first sample; None where it was not read again.
        positions: Id to place; filled only when asked for.
    """

    count: int
    fingerprint: str
    first: Sample | None = None
    positions: dict[str, int] = field(default_factory=dict)


def prepare(file: SpecFile, registry: Registry, options: RunOptions) -> PreparedEval:
    """Build an eval from its spec.

    Raises:
        SpecError: A prompt or mapping that cannot be compiled, with its place.
        UsageError: A plug-in that refuses its arguments.
    """
    spec = file.spec
    samples, prompts, choices = _all_told(
        lambda: _reader(file, registry, options),
        lambda: compiled_prompts(file, registry),
        lambda: compile_choices(file),
        lambda: check_demo_models(file),
    )[:3]
    epochs = options.epochs or spec.epochs
    measures = measure_records(file, registry)
    metrics = metrics_of(measures, registry, spec.slices)
    check_epochs(metrics, epochs)
    parameters = spec.parameters.sent()
    return PreparedEval(
        file=file,
        samples=samples,
        prompts=prompts,
        scorers=EvalScorers([_unit(use, registry, file) for use in spec.scorers]),
        measures=measures,
        metrics=metrics,
        parameters=parameters,
        epochs=epochs,
        choices=choices,
    )


def _all_told(*steps: Callable[[], Any]) -> list[Any]:
    """Return what each step gives.

    Raises:
        SpecError: The problems of all of them at once.
    """
    found, problems = [], []
    for step in steps:
        try:
            found.append(step())
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(list(dict.fromkeys(problems)))
    return found


def survey(
    one: PreparedEval, *, positions: bool = False, modes: Collection[ChoiceMode] | None = None
) -> Survey:
    """Read the dataset once before anything is sent, so that bad rows are known before they cost.

    Args:
        one: The eval.
        positions: Whether each sample's place is kept.
        modes: In which models will be asked multiple choice; default as far as the spec tells.

    Raises:
        DatasetError: Rows that do not fit, the first few of them.
        SpecError: A prompt whose variables a sample does not have, a scorer that can judge no sample.
    """
    bad = BadRows(one.name, "samples")
    trial = ScorerTrial(one.file, one.scorers, one.choices, one.parameters)
    places: dict[str, int] = {}
    seen = SurveyedSamples(one, bad)
    asked = modes_at_hand(one.file) if modes is None else modes
    for place, sample in enumerate(seen):
        if positions:
            places[sample.id] = place
        if one.choices is not None:
            try:
                check_options(one.file, one.choices, sample, asked, first=not place)
            except DatasetError as error:
                bad.add(error)
                continue
        trial.see(sample)
    bad.check()
    trial.check()
    return replace(seen.survey, positions=places)


class SurveyedSamples:
    """The samples of an eval, surveyed as they pass.

    Attributes:
        survey: Of the samples that have passed.
    """

    def __init__(self, one: PreparedEval, bad: BadRows | None = None) -> None:
        """Take an eval.

        Args:
            one: The eval.
            bad: Where samples that do not fit are noted and left out; without it the first is an error.
        """
        self._one = one
        self._bad = bad
        self._digest = hashlib.blake2b(digest_size=16)
        self._first: Sample | None = None
        self._count = 0

    def __iter__(self) -> Iterator[Sample]:
        """Yield the samples, once.

        Raises:
            DatasetError: A row that does not fit.
            SpecError: A prompt whose variables a sample does not have.
        """
        for sample in self._one.samples:
            self._digest.update(
                sample.id.encode("utf-8", "surrogatepass") + b"\0" + sample.fingerprint.encode()
            )
            first, self._first = self._first is None, self._first or sample
            self._count += 1
            try:
                _check_prompts(self._one, sample, first)
            except DatasetError as error:
                if self._bad is None:
                    raise
                self._bad.add(error)
                continue
            yield sample

    @property
    def survey(self) -> Survey:
        """Return what was seen."""
        return Survey(self._count, self._digest.hexdigest(), self._first)


def _check_prompts(one: PreparedEval, sample: Sample, first: bool) -> None:
    variables = sample_variables(sample)
    for prompt in one.prompts:
        try:
            prompt.check(sample)
            if first or not prompt.names <= variables.keys():
                prompt.render(sample)
        except TemplateError as error:
            raise _prompt_problem(one, prompt, sample, error, first=first) from error


def _prompt_problem(
    one: PreparedEval, prompt: CompiledPrompt, sample: Sample, error: TemplateError, *, first: bool
) -> RegradeError:
    node = one.file.prompt_node(prompt.name.partition("[")[0])
    if not first:
        where = one.file.where(node)
        message = f'{error.message} (prompt "{prompt.name}", {where})'
        line = f" in line {sample.line}" if sample.line else ""
        return DatasetError(f'{one.name}: sample "{sample.id}"{line}: {message}', hint=error.hint)
    quoted = error.message.split('"')
    name = quoted[1] if len(quoted) > 1 else ""
    return SpecError([one.file.problem_in_text(node, name, f"prompt: {error.message}", error.hint)])


def _reader(file: SpecFile, registry: Registry, options: RunOptions) -> SampleReader:
    dataset = file.spec.dataset
    limit = options.limit if options.limit is not None else dataset.limit
    return sample_reader(file, dataset, ("dataset",), registry, limit=limit, cluster=file.spec.cluster)


def _unit(use: ScorerUse, registry: Registry, file: SpecFile) -> ScorerUnit:
    folder = file.folder_of(("scorers",))
    scorer = build(registry.load("scorer", use.name, folder), use.arguments, folder)
    return ScorerUnit(use.title, scorer, compile_steps(use.extract, use.normalize))
