"""A prompt of the spec, compiled once and rendered for every sample."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from regrade.errors import DatasetError, Location
from regrade.plan.messages import PromptMessages
from regrade.templates import Template
from regrade.types import Endpoint, Json, JsonObject, Messages, Sample

__all__ = ["CompiledPrompt", "FewShot", "sample_variables"]


def sample_variables(sample: Sample) -> JsonObject:
    """Return what templates see of a sample: its columns, and over them id, input, target and metadata."""
    return {
        **sample.row,
        "id": sample.id,
        "input": sample.input,
        "target": sample.target,
        "metadata": sample.metadata,
    }


@dataclass(frozen=True, slots=True)
class FewShot:
    """Worked examples that stand before the question.

    Attributes:
        samples: The drawn examples; one more than `count` where they come from the eval's own rows, so that
            a sample never sees itself.
        count: How many to show.
        user: Template of an example's question, for examples as turns.
        assistant: Template of an example's answer, for examples as turns.
        text: Template of one example, for examples as text; the prompt places it as `{{ few_shot }}`.
    """

    samples: Sequence[Sample]
    count: int
    user: Template | None = None
    assistant: Template | None = None
    text: Template | None = None

    def turns(self, constants: Mapping[str, Json], asked: Sample) -> Messages:
        """Return the examples as pairs of messages; none when they are given as text."""
        if self.user is None or self.assistant is None:
            return []
        messages: Messages = []
        for shot in self._shown(asked):
            variables = {**sample_variables(shot), **constants}
            messages.append({"role": "user", "content": self.user.render(variables)})
            messages.append({"role": "assistant", "content": self.assistant.render(variables)})
        return messages

    def as_text(self, constants: Mapping[str, Json], asked: Sample) -> str:
        """Return the examples as one text; empty when they are given as turns."""
        if self.text is None:
            return ""
        return "".join(
            self.text.render({**sample_variables(shot), **constants}) for shot in self._shown(asked)
        )

    def _shown(self, asked: Sample) -> list[Sample]:
        others = [shot for shot in self.samples if shot.fingerprint != asked.fingerprint]
        return others[: self.count]


@dataclass(frozen=True, slots=True)
class CompiledPrompt:
    """One named prompt with its matrix variables filled in.

    Attributes:
        name: Unique in the eval, matrix values included.
        messages: In order; empty for completions.
        text: The template of a completions prompt; None for chat.
        constants: `vars` and matrix variables.
        few_shot: Worked examples, or None.
        dataset: What messages call the dataset of the samples.
    """

    name: str
    messages: Sequence[PromptMessages] = ()
    text: Template | None = None
    constants: Mapping[str, Json] = field(default_factory=dict)
    few_shot: FewShot | None = None
    dataset: str = ""

    @property
    def endpoint(self) -> Endpoint:
        """Return which of the two APIs this prompt is for."""
        return "chat" if self.text is None else "completions"

    @property
    def names(self) -> frozenset[str]:
        """Return the variables that a sample must bring."""
        templates: list[PromptMessages | Template] = [*self.messages]
        if self.text is not None:
            templates.append(self.text)
        used: frozenset[str] = frozenset().union(*(template.names for template in templates))
        return used - self.constants.keys() - ({"few_shot"} if self.few_shot else set())

    def check(self, sample: Sample) -> None:
        """Look at what a sample brings beside texts, such as a conversation, as far as that costs little.

        Raises:
            DatasetError: Naming the sample and its line.
        """
        varying = [part for part in self.messages if part.varies]
        if varying:
            variables = {**sample_variables(sample), **self.constants}
            for part in varying:
                with self._about(sample):
                    part.check(variables)

    def render(self, sample: Sample) -> tuple[Messages, str]:
        """Return the messages for chat, or the text for completions; the other of the two is empty.

        Raises:
            TemplateError: Naming the variable that is missing and the template's place.
            DatasetError: Naming the sample whose conversation, image or sound cannot be sent.
        """
        variables = {**sample_variables(sample), **self.constants}
        turns: Messages = []
        if self.few_shot is not None:
            variables["few_shot"] = self.few_shot.as_text(self.constants, sample)
            turns = self.few_shot.turns(self.constants, sample)
        if self.text is not None:
            return [], self.text.render(variables)
        with self._about(sample):
            messages = [message for part in self.messages for message in part.render(variables)]
        leading = 0
        while leading < len(messages) and messages[leading]["role"] in {"system", "developer"}:
            leading += 1
        return [*messages[:leading], *turns, *messages[leading:]], ""

    @contextmanager
    def _about(self, sample: Sample) -> Iterator[None]:
        """Let an error about what a sample brings name it."""
        try:
            yield
        except DatasetError as error:
            where = Location(self.dataset, sample.line) if self.dataset else None
            message = f'sample "{sample.id}": {error.message}'
            raise DatasetError(message, where=where, hint=error.hint) from error
