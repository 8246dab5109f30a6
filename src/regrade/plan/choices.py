"""The options of multiple choice, compiled once and laid out for every sample and model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from regrade.choices import lettered
from regrade.errors import DatasetError, TemplateError
from regrade.plan.prompts import sample_variables
from regrade.templates import FieldMapping
from regrade.types import ChoiceMode, Choices, Endpoint, Json, JsonObject, Option, Sample

__all__ = ["MOST_OPTIONS", "CompiledChoices"]

MOST_OPTIONS = 1_000
_STEERING = frozenset(
    {"max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "seed", "n", "logprobs"}
)
"""Parameters that mean nothing where an answer is not sampled; what is left, a user put in on purpose."""


@dataclass(frozen=True, slots=True)
class CompiledChoices:
    """The options of an eval.

    Attributes:
        options: Where a sample's options are, or those of all samples.
        mode: As the spec has it.
        continuation: What a model is to write for an option; None for the mode's own.
        separator: What stands between the prompt and an option.
        top_logprobs: How many first tokens are looked at.
        constants: `vars` of the spec, for templates.
    """

    options: FieldMapping | Json
    mode: Literal["auto"] | ChoiceMode
    continuation: Literal["text", "letter"] | None = None
    separator: str = " "
    top_logprobs: int = 20
    constants: Mapping[str, Json] | None = None

    def of(self, sample: Sample, mode: ChoiceMode) -> Choices:
        """Return the options of a sample.

        Raises:
            DatasetError: When these are none, one is empty, or letters are wanted and there are too many.
        """
        found = self._found(sample)
        try:
            names = lettered(found, MOST_OPTIONS)
        except ValueError as error:
            raise _wrong(sample, str(error)) from error
        texts = [str(text) for text in (found.values() if isinstance(found, Mapping) else found)]
        wanted = self.continuation or ("text" if mode == "loglikelihood" else "letter")
        pairs = zip(names, texts, strict=True)
        options = tuple(Option(name, text, name if wanted == "letter" else text) for name, text in pairs)
        empty = next((option for option in options if not option.text.strip()), None)
        if empty is not None:
            raise _wrong(sample, f"option {empty.letter} is empty")
        if mode != "loglikelihood" and not options[0].letter.isalpha() and not isinstance(found, Mapping):
            raise _wrong(sample, f"{len(options)} options are more than there are letters for {mode}")
        return Choices(mode, options, self.separator)

    def parameters(self, mode: ChoiceMode, endpoint: Endpoint, given: JsonObject) -> JsonObject:
        """Return the parameters that a mode sends, in place of those that steer sampling."""
        if mode == "text":
            return given
        kept = {name: value for name, value in given.items() if name not in _STEERING}
        limit = "max_completion_tokens" if "max_completion_tokens" in given else "max_tokens"
        if mode == "loglikelihood":
            # OpenAI takes a max_tokens of 0 here, others want a token more than the prompt.
            return {**kept, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
        if endpoint == "completions":
            return {**kept, "max_tokens": 1, "temperature": 0, "logprobs": self.top_logprobs}
        first: JsonObject = {"logprobs": True, "top_logprobs": self.top_logprobs}
        return {**kept, limit: 1, "temperature": 0, **first}

    def _found(self, sample: Sample) -> Json:
        if not isinstance(self.options, FieldMapping):
            return self.options
        try:
            return self.options.value({**sample_variables(sample), **(self.constants or {})})
        except TemplateError as error:
            raise _wrong(sample, error.message, error.hint) from error


def _wrong(sample: Sample, message: str, hint: str | None = None) -> DatasetError:
    line = f" in line {sample.line}" if sample.line else ""
    return DatasetError(f'sample "{sample.id}"{line}: options: {message}', hint=hint)
