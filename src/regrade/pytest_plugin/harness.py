"""The fixture `regrade`: an eval inside of a test, and what the test asserts of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regrade.api.gating import GatedRun, gate
from regrade.api.results import Run
from regrade.api.running import arun, run
from regrade.jsonio import dumps
from regrade.pytest_plugin.findings import explained
from regrade.pytest_plugin.settings import Settings, near
from regrade.pytest_plugin.telling import safe
from regrade.types import Json

if TYPE_CHECKING:
    import pyarrow as pa

    from regrade.verdicts import Rule, RuleKind

__all__ = ["GateAssertionError", "Harness", "RunUnderTest"]


class GateAssertionError(AssertionError):
    """A run does not keep what a test asserts of it; the message is the verdict and the changed samples.

    Attributes:
        gated: Every figure.
    """

    def __init__(self, message: str, gated: GatedRun) -> None:
        super().__init__(message)
        self.gated = gated


class Harness:
    """Runs evals for tests, with the options that were given to pytest."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def run(self, spec: str | Path, **options: Any) -> "RunUnderTest":
        """Run a suite over its models.

        Args:
            spec: The file, relative to the folder that pytest was started in.
            options: Fields of `regrade.RunOptions`: models, limit, epochs, cache, ...; `--regrade-limit`,
                `--regrade-model` and `--regrade-results` hold where they are not given.

        Raises:
            UsageError: As `regrade.run`; also inside a running event loop, where `arun` is the way.
            AssertionError: When no request was answered.
        """
        __tracebackhide__ = True
        return self._under_test(run(spec, **self._options(options)))

    async def arun(self, spec: str | Path, **options: Any) -> "RunUnderTest":
        """Run a suite inside a running event loop; otherwise the same as `run`."""
        __tracebackhide__ = True
        return self._under_test(await arun(spec, **self._options(options)))

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        results = near(self._settings.results)
        return {
            "models": self._settings.models,
            "limit": self._settings.limit,
            "results": results,
            **options,
        }

    def _under_test(self, found: Run) -> "RunUnderTest":
        __tracebackhide__ = True
        if found.status == "interrupted":
            raise KeyboardInterrupt
        if found.status == "error":
            raise AssertionError(safe(f"run {found.id}: {found.manifest.message}"))
        return RunUnderTest(found, found.path.parent, self._settings.baseline)


class RunUnderTest:
    """A run that a test asserts something of.

    Attributes:
        run: The run, with all that `regrade.run` gives.
    """

    def __init__(self, found: Run, results: Path, baseline: str | None) -> None:
        self.run = found
        self._results = results
        self._baseline = baseline

    def __repr__(self) -> str:
        return f"RunUnderTest({self.run!r})"

    @property
    def summary(self) -> "pa.Table":
        """Return one row a metric, as an Arrow table."""
        return self.run.summary

    @property
    def samples(self) -> "pa.Table":
        """Return one row a request, as an Arrow table."""
        return self.run.samples

    def assert_at_least(
        self,
        metric: str,
        value: float,
        *,
        model: str | None = None,
        prompt: str | None = None,
        slice: Mapping[str, Json] | None = None,  # noqa: A002 - the word of specs
        confident: bool = False,
    ) -> GatedRun:
        """Assert that a metric is no lower than a value, for every model and prompt, or those named.

        Args:
            metric: A metric, a scorer (its first metric), "scorer.metric", or one of the requests.
            value: The limit.
            model: Only this model.
            prompt: Only this prompt.
            slice: Metadata that samples must have.
            confident: Whether the whole interval has to keep to the limit.

        Raises:
            GateAssertionError: It is lower, or that cannot be told.
            UsageError: An unknown metric, model, prompt or slice.
        """
        __tracebackhide__ = True
        where = _Where(model, prompt, slice)
        return self._hold([where.rule("at_least", metric, value=value, confident=confident)])

    def assert_at_most(
        self,
        metric: str,
        value: float,
        *,
        model: str | None = None,
        prompt: str | None = None,
        slice: Mapping[str, Json] | None = None,  # noqa: A002 - the word of specs
        confident: bool = False,
    ) -> GatedRun:
        """Assert that a metric is no higher than a value; otherwise the same as `assert_at_least`."""
        __tracebackhide__ = True
        where = _Where(model, prompt, slice)
        return self._hold([where.rule("at_most", metric, value=value, confident=confident)])

    def assert_no_regression(
        self,
        metric: str | None = None,
        *,
        baseline: str | None = None,
        margin: float | None = None,
        model: str | None = None,
        prompt: str | None = None,
        slice: Mapping[str, Json] | None = None,  # noqa: A002 - the word of specs
    ) -> GatedRun:
        """Assert that a metric did not get worse against a baseline.

        Args:
            metric: As in `assert_at_least`; by default every scorer's first metric.
            baseline: A baseline or run; by default that of `--regrade-baseline`, then the spec's.
            margin: A loss that is accepted: the test then passes only when a greater one is ruled out.
            model: Only this model.
            prompt: Only this prompt.
            slice: Metadata that samples must have.

        Raises:
            GateAssertionError: It is worse, or with a margin that cannot be told.
            UsageError: As `assert_at_least`; a baseline that does not exist.
        """
        __tracebackhide__ = True
        kind: RuleKind = "no_regression" if margin is None else "non_inferior"
        metrics = self._first_metrics() if metric is None else [metric]
        where = _Where(model, prompt, slice)
        return self._hold([where.rule(kind, one, margin=margin) for one in metrics], baseline=baseline)

    def gate(
        self, rules: "Sequence[str | Rule]" = (), *, baseline: str | None = None, **options: Any
    ) -> GatedRun:
        """Judge the run and return what was found, asserting nothing.

        Args:
            rules: Such as "non_inferior accuracy margin=0.02"; by default those of the spec.
            baseline: A baseline or run.
            options: Other fields of `regrade.GateOptions`: alpha, missing, ...
        """
        against = baseline or self._baseline
        said: dict[str, Any] = {"results": self._results, "rules": rules, "baseline": against, **options}
        return gate(self.run.id, **said)

    def assert_gate(
        self, rules: "Sequence[str | Rule]" = (), *, baseline: str | None = None, **options: Any
    ) -> GatedRun:
        """Assert that all rules let the run pass; the arguments are those of `gate`.

        Raises:
            GateAssertionError: One does not.
        """
        __tracebackhide__ = True
        gated = self.gate(rules, baseline=baseline, **options)
        if gated.exit_code:
            raise GateAssertionError(_message(gated), gated)
        return gated

    def _hold(self, rules: "Sequence[Rule]", baseline: str | None = None) -> GatedRun:
        __tracebackhide__ = True
        return self.assert_gate(rules, baseline=baseline)

    def _first_metrics(self) -> list[str]:
        listed = [one for scorers in self.run.manifest.measures.values() for one in scorers]
        return list(dict.fromkeys(f"{one['scorer']}.{one['metrics'][0]['name']}" for one in listed))


class _Where:
    """What a rule is restricted to."""

    def __init__(self, model: str | None, prompt: str | None, slice_of: Mapping[str, Json] | None) -> None:
        self._models = () if model is None else (model,)
        self._prompts = () if prompt is None else (prompt,)
        self._slice = {
            name: value if isinstance(value, str) else dumps(value)
            for name, value in (slice_of or {}).items()
        }

    def rule(self, kind: "RuleKind", metric: str, **more: Any) -> "Rule":
        from regrade.verdicts import Rule

        return Rule(kind, metric, models=self._models, prompts=self._prompts, slice=self._slice, **more)


def _message(gated: GatedRun) -> str:
    """Return the verdicts that stop the test, each with the samples that changed sides."""
    result = gated.result
    pairs = zip(result.verdicts, gated.document.cases, strict=True)
    stopped = [
        explained(verdict, view, result, full=False) for verdict, view in pairs if not verdict.harmless
    ]
    foot = f"run {result.run}" + (f", baseline {result.baseline}" if result.baseline else "")
    return "\n\n".join([safe(gated.paragraph), *(stopped if len(stopped) > 1 else stopped[:1]), safe(foot)])
