"""A spec as a collector of pytest, and its items."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from regrade.api.options import RunOptions
from regrade.api.prepare import prepare
from regrade.api.rules import planned_gate
from regrade.api.specs import load_specs
from regrade.errors import RegradeError
from regrade.plugins import Registry
from regrade.pytest_plugin.cases import Case, cases_of
from regrade.pytest_plugin.findings import Finding, answered, judged
from regrade.pytest_plugin.running import EvalSession
from regrade.pytest_plugin.settings import near, settings_of
from regrade.pytest_plugin.telling import safe

__all__ = ["RuleItem", "SpecNode"]


class SpecNode(pytest.File):
    """One spec file.

    Attributes:
        evaluation: Its eval in this session.
        listed: The models that stand in it by name.
    """

    evaluation: EvalSession
    listed: frozenset[str]

    def collect(self) -> "Iterator[RuleItem]":
        """Read the spec and yield its items.

        Raises:
            CollectError: regrade's own message: file, line, column, what is wrong and what to do.
        """
        settings = settings_of(self.config)
        registry = Registry()
        try:
            (file,) = load_specs([near(self.path)], registry)
            prompts = prepare(file, registry, RunOptions(limit=settings.limit)).prompts
            rules = tuple(rule for one in planned_gate([file], []).sets for rule in one.rules)
            cases = cases_of(file, prompts, rules, settings.models)
        except RegradeError as error:
            raise self.CollectError(safe(str(error))) from None
        if not cases:
            raise self.CollectError(
                f"{near(self.path)}: no models; list some, or name one with --regrade-model"
            )
        self.listed = frozenset(model.name for model in file.spec.models)
        self.evaluation = EvalSession(self.path, file.spec.name, settings, registry, rules)
        for case in cases:
            yield RuleItem.from_parent(self, name=case.name, case=case)

    @cached_property
    def needed(self) -> list[str] | None:
        """Return the models that the items of this session speak of, so that no others are paid for.

        None stands for all that the spec lists.
        """
        mine = [item for item in self.session.items if isinstance(item, RuleItem) and item.spec is self]
        sources = list(dict.fromkeys(item.case.source for item in mine))
        return None if set(sources) == self.listed else sources


class RuleItem(pytest.Item):
    """One rule on one model and prompt; without a gate, that a model answers at all.

    Attributes:
        case: What it stands for.
    """

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        self.add_marker(pytest.mark.regrade)
        if self.config.pluginmanager.hasplugin("xdist"):
            # Workers that wait for the run of another one could do other tests meanwhile.
            self.add_marker(pytest.mark.xdist_group(name=self.spec.nodeid))

    @property
    def regrade_left_out(self) -> bool:
        """Return whether `--regrade-model` leaves it out."""
        return not self.case.wanted

    @property
    def spec(self) -> SpecNode:
        """Return the spec that it comes from."""
        assert isinstance(self.parent, SpecNode)
        return self.parent

    def setup(self) -> None:
        """Run the eval and judge it, unless another item or worker has.

        What keeps an eval from running is an error to pytest, and no failure: it says nothing of the model.
        """
        __tracebackhide__ = True
        error = self.spec.evaluation.prepare(self.spec.needed)
        if error is not None:
            pytest.fail(safe(str(error)), pytrace=False)

    def runtest(self) -> None:
        """Take the verdict of this item."""
        __tracebackhide__ = True
        found = self._finding()
        self.user_properties += found.properties
        if not found.harmless:
            pytest.fail(found.text, pytrace=False)
        self.add_report_section("call", "regrade", found.text)

    def _finding(self) -> Finding:
        outcome = self.spec.evaluation.outcome
        if self.case.rule is None or outcome.gated is None:
            return answered(outcome.run, self.case, self.spec.listed)
        return judged(outcome, self.case, self.spec.listed, full=self.config.get_verbosity() > 1)

    def repr_failure(self, excinfo: "pytest.ExceptionInfo[BaseException]", style: Any = None) -> Any:
        """Show a verdict as it is; one line of it stands for it, at the rule's place in the spec."""
        shown = super().repr_failure(excinfo, style)
        crash = getattr(shown, "reprcrash", None)
        if isinstance(excinfo.value, pytest.fail.Exception) and crash is not None:
            path, line, _ = self.reportinfo()
            crash.path, crash.lineno = str(near(path)), (line or 0) + 1
            crash.message = str(excinfo.value).partition("\n")[0]
        return shown

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the line of the rule in the spec, and the title of its report.

        A title that ends the node id would be taken for a dotted name of Python, and 0.9 shown as 0::9.
        """
        where = None if self.case.rule is None else self.case.rule.where
        here = where is not None and Path(where.file).name == self.path.name
        return (
            self.path,
            where.line - 1 if here and where is not None and where.line else 0,
            f"{self.spec.evaluation.name}, {self.name}",
        )
