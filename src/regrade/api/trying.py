"""Scorers, tried before a run on samples that nobody has answered yet."""

from regrade.api.choices import first_options
from regrade.errors import SpecError
from regrade.plan import CompiledChoices
from regrade.plugins import BUILT_INS
from regrade.score import EvalScorers
from regrade.spec import SpecFile
from regrade.types import JsonObject, Sample

__all__ = ["ScorerTrial"]

_TRIED = 100
"""Samples that scorers are tried on before a run."""


class ScorerTrial:
    """Finds scorers that can judge none of the first samples, which is known before a request is paid for.

    Only built-in ones are tried: code of the user's own may take an empty answer amiss.
    """

    def __init__(
        self, file: SpecFile, scorers: EvalScorers, choices: CompiledChoices | None, parameters: JsonObject
    ) -> None:
        self._file = file
        self._choices = choices
        own = {*BUILT_INS["scorer"]} - {"python"}
        uses = enumerate(zip(file.spec.scorers, scorers.units, strict=True))
        self._open = {place: unit for place, (use, unit) in uses if use.name in own and not unit.waits}
        self._refusals: dict[int, str] = {}
        own_params = [model.parameters.sent() for model in file.spec.models]
        self._params = {name: value for sent in (*own_params, parameters) for name, value in sent.items()}
        self._left = _TRIED

    def see(self, sample: Sample) -> None:
        """Try the scorers on a sample, until each could judge one."""
        if not self._left or not self._open:
            return
        self._left -= 1
        choices = first_options(self._choices, sample)
        for place, unit in list(self._open.items()):
            reason = unit.refusal(sample, self._params, choices)
            if reason is None:
                del self._open[place]
            else:
                self._refusals.setdefault(place, reason)

    def check(self) -> None:
        """Refuse scorers that could judge nothing.

        Raises:
            SpecError: Naming each, and its reason for the first sample.
        """
        problems = [
            self._file.problem(
                ("scorers", place), f"{unit.title} can judge no sample: {self._refusals[place]}"
            )
            for place, unit in self._open.items()
        ]
        if problems:
            raise SpecError(problems)
