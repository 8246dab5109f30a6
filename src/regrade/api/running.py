"""`run`: specs in, a run folder out."""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from regrade.addresses import split
from regrade.aggregate import SCORE_COLUMNS, request_columns, summarise
from regrade.api.carrying import Carrier, carrier
from regrade.api.casting import Casting
from regrade.api.choosing import chosen_modes, modes_of, noted_modes, with_text
from regrade.api.describing import describe
from regrade.api.loops import run_to_end
from regrade.api.models import Cast
from regrade.api.options import RunOptions, environment
from regrade.api.planning import PlannedModel, plan_models
from regrade.api.prepare import PreparedEval, Survey, prepare, survey
from regrade.api.providers import build_provider
from regrade.api.ranking import write_ranking
from regrade.api.results import Run
from regrade.api.resuming import as_before, earlier_surveys, recall_from, resumed_requests, run_to_resume
from regrade.api.runner import Costs, LiveRun, Observer, Recall, RunLoop, cost_of
from regrade.api.so_far import SoFar
from regrade.api.specs import load_specs
from regrade.errors import RegradeError, UsageError
from regrade.execute import BudgetLimits, Executor, ExecutorOptions, Timing
from regrade.http import Session
from regrade.plan import plan
from regrade.plugins import Registry
from regrade.protocols import ModelProvider
from regrade.spec import SpecFile
from regrade.store import (
    JournalFile,
    JournalIndex,
    Manifest,
    ResponseCache,
    RunFolder,
    TableWriter,
    cache_path,
    create_run,
    read_batches,
    write_summary,
)
from regrade.store.so_far import remove_so_far
from regrade.types import Model, Request

__all__ = ["Setting", "Stored", "arun", "execute", "plan_run", "run"]

_GROUP_S = 0.02
"""With `durability="disk"`, answers that come within this time share one synchronisation of the journal."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Outputs of an earlier run that are to be scored again.

    Attributes:
        parent: That run's id.
        cast: Who answered and judged then.
        recall: Returns the stored outcome of a request.
    """

    parent: str
    cast: Cast
    recall: Recall


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run works with beside its specs.

    Attributes:
        registry: Plug-ins.
        env: Environment variables.
        timing: Clock, sleep and jitter of the executor.
        observer: Told about the run when it starts.
    """

    registry: Registry
    env: Mapping[str, str]
    timing: Timing
    observer: Observer | None = None


def run(
    specs: str | Path | Sequence[str | Path] = (),
    *,
    options: RunOptions | None = None,
    registry: Registry | None = None,
    observer: Observer | None = None,
    **changes: Any,
) -> Run:
    """Run suites over their models and return the results.

    Args:
        specs: A spec file or folder, or several; may be left out when `resume` names a run.
        options: How to run; `changes` lie over it.
        registry: Plug-ins, when the caller adds its own.
        observer: Told about the run when it starts.
        changes: Fields of `RunOptions`: models, limit, epochs, max_connections, results, resume, ...

    Raises:
        UsageError: Specs, datasets or models that do not fit; nothing has been sent.
        RegradeError: When the run cannot go on; it can be resumed.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        work = arun(specs, options=options, registry=registry, observer=observer, **changes)
        return run_to_end(work)
    raise UsageError("an event loop is already running here", hint="use: run = await regrade.arun(...)")


async def arun(
    specs: str | Path | Sequence[str | Path] = (),
    *,
    options: RunOptions | None = None,
    registry: Registry | None = None,
    observer: Observer | None = None,
    **changes: Any,
) -> Run:
    """Run suites from inside an event loop, such as a notebook's; otherwise the same as `run`."""
    chosen = _options(options or RunOptions(), changes)
    setting = Setting(registry or Registry(), environment(), Timing(), observer)
    paths = [Path(one) for one in ([specs] if isinstance(specs, str | Path) else specs)]
    folder: RunFolder | None = None
    if chosen.resume is not None:
        folder = run_to_resume(paths, chosen, setting.registry)
        if folder is not None:
            paths, chosen = as_before(folder.manifest(), paths, chosen)
    if not paths:
        raise UsageError("no spec to run", hint="name a file or folder, such as: regrade run evals")
    files = load_specs(paths, setting.registry)
    return await execute(files, chosen, setting, folder)


async def plan_run(
    specs: Sequence[str | Path], *, options: RunOptions | None = None, registry: Registry | None = None
) -> list[PlannedModel]:
    """Return what a run would ask of each model and about what it would cost; sends nothing but GET /models.

    Raises:
        UsageError: As `run`.
    """
    chosen = options or RunOptions()
    setting = Setting(registry or Registry(), environment(), Timing())
    files = load_specs([Path(one) for one in specs], setting.registry)
    evals = {file.spec.name: prepare(file, setting.registry, chosen) for file in files}
    async with AsyncExitStack() as stack:
        carrying = await carrier(
            stack, replace(chosen, record=None, redact=(), redact_patterns=()), setting.env
        )
        casting = Casting(evals, chosen.models, setting.registry, setting.env, carrying)
        cast = await casting.assumed(stack)
    return plan_models([(one, survey(one)) for one in evals.values()], cast)


def _options(options: RunOptions, changes: Mapping[str, Any]) -> RunOptions:
    try:
        changed = replace(options, **changes)
    except TypeError as error:
        raise UsageError(f"run(): {error}") from error
    if isinstance(changed.models, str):
        changed = replace(changed, models=split(changed.models))
    return replace(changed, results=Path(changed.results))


async def execute(
    files: Sequence[SpecFile],
    options: RunOptions,
    setting: Setting,
    folder: RunFolder | None,
    stored: Stored | None = None,
) -> Run:
    """Prepare everything, then send, score and store.

    Args:
        files: Checked specs.
        options: How to run.
        setting: Plug-ins, environment, clock, observer.
        folder: The run to complete; None makes a new one.
        stored: Outputs to score again, in place of asking models.
    """
    evals = {file.spec.name: prepare(file, setting.registry, options) for file in files}
    async with AsyncExitStack() as stack:
        carrying = await carrier(stack, options, setting.env)
        if stored:
            cast = with_text(stored.cast, evals)
        else:
            earlier = folder.manifest().models if folder is not None else ()
            casting = Casting(evals, options.models, setting.registry, setting.env, carrying)
            cast = await casting.decided(stack, earlier)
        in_order = {name: _in_order(models) for name, models in cast.models.items()}
        before = None
        if folder is not None and not any(in_order.values()):
            before = earlier_surveys(folder.manifest(), files, options)
        surveys = before or {
            name: survey(one, positions=in_order[name], modes=modes_of(cast.models[name]))
            for name, one in evals.items()
        }
        provider_of = _nobody if stored else _providers(cast, surveys, setting, carrying.session)
        folder = folder or create_run(options.results, datetime.now(UTC))
        stack.enter_context(folder.lock())
        manifest = describe(folder, [one.file for one in evals.values()], cast, options)
        manifest.measures = {name: list(one.measures) for name, one in evals.items()}
        manifest.replay_of = carrying.belongs_to(folder.id)
        if stored:
            manifest.parent = stored.parent
        sitting = _Sitting(
            folder, manifest, evals, cast, surveys, options, setting, carrying, before is not None
        )
        sitting.write_manifest()
        await sitting.run(provider_of, stored.recall if stored else None)
    return Run(folder)


def _nobody(request: Request) -> ModelProvider:
    raise UsageError(f'"{request.model.name}" is not asked when stored outputs are scored')


def _providers(
    cast: Cast, surveys: Mapping[str, Survey], setting: Setting, session: Session
) -> Callable[[Request], ModelProvider]:
    """Build what answers for every model; recorded outputs are read now, so that a fault shows early."""

    def provider(model: Model, places: dict[str, int]) -> ModelProvider:
        return build_provider(model, setting.registry, session, setting.env, lambda: places)

    answering = {
        (name, model.name): provider(model, surveys[name].positions)
        for name, models in cast.models.items()
        for model in models
    }
    judging = {name: provider(model, {}) for name, model in cast.judges.items()}

    def provider_of(request: Request) -> ModelProvider:
        if request.key.role != "answer":
            return judging[request.model.name]
        return answering[request.key.eval, request.key.model]

    return provider_of


@dataclass(frozen=True, slots=True)
class _Sitting:
    """One sitting of a run, everything prepared.

    Attributes:
        carrying: What its requests go through.
        surveyed_before: Whether the surveys are those of an earlier sitting, to be made anew on the way.
    """

    folder: RunFolder
    manifest: Manifest
    evals: Mapping[str, PreparedEval]
    cast: Cast
    surveys: dict[str, Survey]
    options: RunOptions
    setting: Setting
    carrying: Carrier
    surveyed_before: bool = False

    def write_manifest(self) -> None:
        self.manifest.datasets = {
            name: {"samples": one.count, "fingerprint": one.fingerprint} for name, one in self.surveys.items()
        }
        self.manifest.planned = self._totals()
        self.manifest.write(self.folder.manifest_path)

    async def run(self, provider_of: Callable[[Request], ModelProvider], recall: Recall | None) -> None:
        titles = [unit.title for one in self.evals.values() for unit in one.scorers.units]
        path = self.folder.journal_path
        index = JournalIndex.read(path, failures=not self.options.retry_failed)
        costs = Costs()
        sync_s = _GROUP_S if self.options.durability == "disk" else None
        with ExitStack() as stack:
            journal = stack.enter_context(JournalFile(path, sync_s))
            writer = stack.enter_context(TableWriter(self.folder, titles))
            cache = stack.enter_context(self._cache()) if self.options.cache and recall is None else None
            recalled = recall or recall_from(index, cache)
            executor = Executor(provider_of, journal, self._limits(), recalled, self.setting.timing, cost_of)
            so_far = SoFar(self.folder, self.evals, self.options.level)
            loop = RunLoop(executor, writer, self.evals, self.cast.judges, costs, scored=so_far.add)
            if cache is not None:
                loop.keep = cache.keep
            notes = self.carrying.warnings(ended=False)
            if self.setting.observer is not None:
                modes = chosen_modes(self.cast)
                live = LiveRun(self.folder, self._totals(), costs, executor, index.torn, modes, notes)
                self.setting.observer(live)
            try:
                await loop.run(self._requests(index), index.recall if index.places else None)
            except RegradeError as error:
                self._end(loop, writer, "error", error.message)
                raise
            notes[:] = self.carrying.warnings(ended=True)
            self._end(loop, writer, self._status(loop), self.carrying.missed, stale=len(index.places))

    def _requests(self, index: JournalIndex) -> Iterator[Request | None]:
        if self.surveyed_before:
            return resumed_requests(self.evals, self.cast, self.surveys, index)
        return plan(one.plan(self.cast.models[name]) for name, one in self.evals.items())

    def _cache(self) -> ResponseCache:
        return ResponseCache(cache_path(self.setting.env))

    def _limits(self) -> ExecutorOptions:
        options = self.options
        failures = options.max_failures
        if isinstance(failures, float):
            failures = math.ceil(failures * sum(self._totals().values()))
        budget = BudgetLimits(
            options.max_cost, options.max_tokens_total, options.max_requests, options.max_time_s, failures
        )
        return ExecutorOptions(
            budget=budget,
            max_connections=self.options.max_connections,
            min_connections=self.options.min_connections,
            max_retries=self.options.max_retries,
            attempt_timeout_s=self.options.timeout_s,
            recorded=self.carrying.attempts,
        )

    def _totals(self) -> dict[str, int]:
        totals: dict[str, int] = {}
        for name, one in self.evals.items():
            for model in self.cast.models[name]:
                planned = one.requests([model], self.surveys[name].count)
                totals[model.name] = totals.get(model.name, 0) + planned
        return totals

    def _status(self, loop: RunLoop) -> str:
        if loop.executor.used_up is not None:
            return "partial"
        if loop.executor.interrupted:
            return "interrupted"
        return "error" if loop.failed == loop.finished or self.carrying.missed else "success"

    def _end(self, loop: RunLoop, writer: TableWriter, status: str, message: str, *, stale: int = 0) -> None:
        """Write what there is: tables from all rows that came in, and how it ended.

        Args:
            loop: What was done.
            writer: Holds the rows.
            status: How it ended.
            message: Why it is no success.
            stale: Finished requests of earlier sittings; what was not recalled of them fits no longer.
        """
        if status == "partial":
            message = f"{loop.executor.used_up} ended the run early"
        self.manifest.status = status  # type: ignore[assignment] # one of Status
        self.manifest.message = message or ("every request failed" if status == "error" else "")
        self.manifest.finished_at = datetime.now(UTC).isoformat(timespec="seconds")
        silent = loop.heard.silent
        if silent and status == "success":
            told = (f"model {name} answered nothing: {why}" for name, why in silent.items())
            self.manifest.message = "\n".join(told)
        progress = loop.executor.progress.values()
        self.manifest.counts = {
            "planned": sum(self._totals().values()),
            "finished": loop.finished,
            "failed": loop.failed,
            "recalled": sum(one.replayed for one in progress),
            "cached": sum(one.cached for one in progress),
            "retried": sum(one.retried for one in progress),
        }
        if status == "success" and stale > self.manifest.counts["recalled"]:
            self.manifest.counts["stale"] = stale - self.manifest.counts["recalled"]
        if silent:
            self.manifest.counts["silent"] = len(silent)
        if loop.finished:
            writer.finish()
            self._summarise()
        remove_so_far(self.folder)
        self.write_manifest()

    def _summarise(self) -> None:
        metrics = {name: one.metrics for name, one in self.evals.items()}
        columns = request_columns(slices=any(one.slices for one in metrics.values()))
        samples = read_batches(self.folder, "samples", columns)
        scores = read_batches(self.folder, "scores", SCORE_COLUMNS)
        level, seed = self.options.level, self.options.seed
        rows = summarise(samples, scores, metrics, level, seed)
        rows = noted_modes(rows, chosen_modes(self.cast))
        write_summary(self.folder, rows)
        write_ranking(self.folder, self.manifest, rows, self.setting.registry, level=level, seed=seed)


def _in_order(models: Sequence[Model]) -> bool:
    return any(model.provider == "outputs" and "id" not in model.options for model in models)
