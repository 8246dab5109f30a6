"""Recorded answers as a model: scores outputs that exist, without a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regrade import jsonio
from regrade.errors import DatasetError, ProviderError, TemplateError
from regrade.protocols import DatasetLoader
from regrade.providers.calls import read_calls
from regrade.providers.reasoning import split_inline
from regrade.templates import Expression, FieldMapping
from regrade.types import Completion, Json, JsonObject, Request, ToolCall, Usage

__all__ = ["RecordedFields", "RecordedOutputs"]

_COUNTS = ("prompt_tokens", "completion_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class RecordedFields:
    """Where a recorded row holds what; each a column or a template.

    Attributes:
        text: The answer; a null without calls is "no answer recorded".
        tool_calls: A list of calls in the API's form or as {name, arguments}, or its JSON text.
        id: The sample's id; None pairs rows and samples in order.
        where: Expression; rows for which it is false are left out.
        reasoning: Reasoning text.
        finish_reason: Such as "stop".
        prompt_tokens: Count.
        completion_tokens: Count.
        reasoning_tokens: Count.
        latency_s: Seconds.
    """

    text: str | None = None
    tool_calls: str | None = None
    id: str | None = None
    where: str | None = None
    reasoning: str | None = None
    finish_reason: str | None = None
    prompt_tokens: str | None = None
    completion_tokens: str | None = None
    reasoning_tokens: str | None = None
    latency_s: str | None = None


@dataclass(slots=True)
class RecordedOutputs:
    """Answers each request with what a file recorded for its sample.

    With several rows of the same id, epoch k is answered by the k-th of them.

    Attributes:
        loader: Reads the recorded rows.
        fields: Where they hold what: the names of `RecordedFields` to columns or templates.
        name: What messages call the file.
        positions: Sample id to its place in the dataset, for pairing in order; None where ids pair.
        inline: Whether reasoning at the start of a recorded text is told from the answer.
    """

    loader: DatasetLoader
    fields: Mapping[str, str | None]
    name: str
    positions: dict[str, int] | None = None
    inline: bool = True
    _by_id: dict[str, list[Completion | None]] | None = field(default=None, init=False)

    def load(self) -> int:
        """Read the file now, so that what is wrong with it is known before the run; return the row count.

        Raises:
            DatasetError: Naming file and line of what does not fit, or counts that differ.
        """
        self._by_id = self._read()
        rows = sum(len(answers) for answers in self._by_id.values())
        if self.positions is not None and rows != len(self.positions):
            raise DatasetError(
                f"{self.name} holds {rows:,} answers for {len(self.positions):,} samples; "
                "without an id they pair in order, so the counts must be equal",
                hint="name the column of the sample's id with `id:`",
            )
        return rows

    async def complete(self, request: Request) -> Completion:
        """Return the recorded answer.

        Raises:
            ProviderError: When none is recorded (final).
        """
        if self._by_id is None:
            self.load()
        assert self._by_id is not None
        sample_id = request.key.sample_id
        place = sample_id if self.positions is None else str(self.positions.get(sample_id))
        answers = self._by_id.get(place, [])
        epoch = request.key.epoch
        found = answers[epoch - 1] if len(answers) >= epoch else None
        if found is None:
            message = f'{self.name} holds no answer for sample "{sample_id}"'
            message += f" in epoch {epoch}" if epoch > 1 else ""
            raise ProviderError(message, kind="missing_output")
        return found

    def _read(self) -> dict[str, list[Completion | None]]:
        read = _RowReader(RecordedFields(**self.fields), inline=self.inline)
        found: dict[str, list[Completion | None]] = {}
        count = 0
        for row in self.loader.load():
            try:
                if not read.wanted(row.data):
                    continue
                place = str(count) if self.positions is not None else read.id(row.data)
                found.setdefault(place, []).append(read.completion(row.data))
            except (TemplateError, ValueError, TypeError) as error:
                place_in_file = f"{self.name}:{row.line}" if row.line else self.name
                hint = error.hint if isinstance(error, TemplateError) else None
                text = error.message if isinstance(error, TemplateError) else str(error)
                raise DatasetError(f"{place_in_file}: {text}", hint=hint) from error
            count += 1
        return found


class _RowReader:
    """Reads one recorded row."""

    def __init__(self, fields: RecordedFields, *, inline: bool) -> None:
        def mapping(source: str | None) -> FieldMapping | None:
            return None if source is None else FieldMapping(source)

        self._where = None if fields.where is None else Expression(fields.where)
        self._id = mapping(fields.id)
        self._inline = inline
        self._text = mapping(fields.text)
        self._calls = mapping(fields.tool_calls)
        self._others = {
            name: mapping(getattr(fields, name))
            for name in ("reasoning", "finish_reason", *_COUNTS, "latency_s")
        }

    def wanted(self, data: JsonObject) -> bool:
        return self._where is None or bool(self._where.value(data))

    def id(self, data: JsonObject) -> str:
        assert self._id is not None
        value = self._id.value(data)
        return value if isinstance(value, str) else str(value)

    def completion(self, data: JsonObject) -> Completion | None:
        text = None if self._text is None else self._text.value(data)
        calls = () if self._calls is None else _calls(self._calls.value(data))
        if text is None and not calls:
            return None
        text = "" if text is None else text if isinstance(text, str) else str(text)
        others: dict[str, Json] = {
            name: mapping.value(data) for name, mapping in self._others.items() if mapping is not None
        }
        reasoning = others.get("reasoning")
        if self._inline:
            text, found = split_inline(text, apart=reasoning is not None)
            reasoning = reasoning or found
        return Completion(
            text=text,
            reasoning=reasoning,
            finish_reason=others.get("finish_reason"),
            usage=Usage(*(_whole(others.get(name)) for name in _COUNTS)),
            tool_calls=calls,
            latency_s=None if others.get("latency_s") is None else float(others["latency_s"]),
        )


def _calls(value: Json) -> tuple[ToolCall, ...]:
    if isinstance(value, str):
        value = jsonio.loads(value) if value.strip() else []
    if value is not None and not isinstance(value, list):
        raise ValueError("the recorded tool calls are no list")
    return read_calls({"tool_calls": value})


def _whole(value: Json) -> int | None:
    return None if value is None else int(value)
