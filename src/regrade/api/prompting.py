"""From the prompts of a spec to compiled ones."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regrade.api.datasets import dataset_folder, dataset_name, sample_reader
from regrade.errors import SpecError, TemplateError
from regrade.media import Kind, MediaReader
from regrade.plan import (
    CallPart,
    CompiledPrompt,
    Conversation,
    FewShot,
    MediaPart,
    MessageTemplate,
    PromptMessages,
    TextPart,
)
from regrade.plugins import Registry
from regrade.samples import draw
from regrade.spec import (
    CallSpec,
    DatasetSpec,
    FewShotSpec,
    MessageSpec,
    NodePath,
    PartSpec,
    PromptSpec,
    SpecFile,
)
from regrade.templates import FieldMapping, Template
from regrade.types import Json, JsonObject

__all__ = ["compiled_prompts"]

_CONVERSATION_BYTES = 20_000_000
"""Of an image that a conversation names."""


def compiled_prompts(file: SpecFile, registry: Registry) -> list[CompiledPrompt]:
    """Return the prompts of a spec, one for each combination of its matrix.

    Raises:
        SpecError: A template that is not valid, or few-shot examples that there are not.
    """
    spec = file.spec
    problems = []
    compiled: list[CompiledPrompt] = []
    for name, prompt in spec.prompts.items():
        node = file.prompt_node(name)
        try:
            base = _prompt(file, prompt, node, registry)
        except TemplateError as error:
            problems.append(file.problem(node, error.message, error.hint))
            continue
        for values in _combinations(spec.matrix):
            title = "".join(f"[{key}={value}]" for key, value in values.items())
            compiled.append(replace(base, name=name + title, constants={**spec.vars, **values}))
    if problems:
        raise SpecError(problems)
    return compiled


def _combinations(matrix: Mapping[str, Sequence[Any]]) -> list[JsonObject]:
    return [dict(zip(matrix, values, strict=True)) for values in itertools.product(*matrix.values())]


def _prompt(file: SpecFile, prompt: PromptSpec, node: NodePath, registry: Registry) -> CompiledPrompt:
    few_shot = _few_shot(file, prompt.few_shot, prompt, node, registry) if prompt.few_shot else None
    if prompt.text is not None:
        return CompiledPrompt("", text=_template(file, prompt.text, node), few_shot=few_shot)
    folder = file.folder_of(("dataset",))
    compiler = _Compiler(file, node, dataset_folder(file.spec.dataset, folder))
    if prompt.messages is not None:
        messages = [compiler.message(message) for message in prompt.messages]
    else:
        system = [compiler.text("system", prompt.system)] if prompt.system is not None else []
        messages = [*system, compiler.text("user", prompt.user or "")]
    name = dataset_name(file.spec.dataset, folder)
    return CompiledPrompt("", messages=messages, few_shot=few_shot, dataset=name)


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Compiles the messages of one prompt.

    Attributes:
        file: The spec.
        node: The prompt in it.
        folder: Where paths in the dataset begin.
    """

    file: SpecFile
    node: NodePath
    folder: Path

    def text(self, role: str, source: str) -> PromptMessages:
        return MessageTemplate(role, [TextPart(_template(self.file, source, self.node))])

    def message(self, message: MessageSpec) -> PromptMessages:
        if message.conversation is not None:
            images = MediaReader("image", self.folder, _CONVERSATION_BYTES)
            return Conversation(FieldMapping(message.conversation), images)
        others = {"name": message.name, "tool_call_id": message.tool_call_id}
        return MessageTemplate(
            role=str(message.role),
            parts=[self._part(part) for part in message.content or ()],
            calls=[self._call(call) for call in message.tool_calls or ()],
            others={name: Template(source) for name, source in others.items() if source is not None},
        )

    def _part(self, part: PartSpec) -> TextPart | MediaPart:
        if part.text is not None:
            return TextPart(_template(self.file, part.text, self.node))
        kind: Kind = "image" if part.image is not None else "audio"
        folder = self.folder if part.folder is None else self.file.folder_of(self.node) / part.folder
        if part.folder is not None and not folder.is_dir():
            raise TemplateError(f"folder: {part.folder} is no folder", hint=f"looked for {folder}")
        reader = MediaReader(kind, folder, int(part.max_mb * 1e6), part.format)
        return MediaPart(FieldMapping(part.image or part.audio), reader, part.detail)

    def _call(self, call: CallSpec) -> CallPart:
        return CallPart(Template(call.id), Template(call.name), _compiled(call.arguments))


def _compiled(value: Json) -> Json:
    if isinstance(value, str):
        return Template(value)
    if isinstance(value, list):
        return [_compiled(item) for item in value]
    if isinstance(value, dict):
        return {name: _compiled(item) for name, item in value.items()}
    return value


def _template(file: SpecFile, source: str, node: NodePath) -> Template:
    if not source.endswith(".j2") or "\n" in source:
        return Template(source)
    path = file.folder_of(node) / source
    try:
        return Template(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TemplateError(f"{source}: {error.strerror}", hint=f"looked for {path}") from error
    except UnicodeDecodeError as error:
        raise TemplateError(f"{source}: not UTF-8 text") from error


def _few_shot(
    file: SpecFile, shots: FewShotSpec, prompt: PromptSpec, node: NodePath, registry: Registry
) -> FewShot:
    dataset = shots.dataset or _other_split(file, shots, node)
    mapped = dataset.model_copy(
        update={
            name: getattr(file.spec.dataset, name)
            for name in ("id", "input", "target")
            if getattr(dataset, name) is None
        }
    )
    reader = sample_reader(file, mapped, (*node, "few_shot"), registry, limit=mapped.limit)
    drawn = draw(reader, shots.count, shots.seed)
    if len(drawn) < shots.count:
        message = f"few_shot: {shots.count} examples wanted, the dataset has {len(drawn)}"
        raise SpecError([file.problem((*node, "few_shot"), message)])
    if shots.form == "text":
        return FewShot(drawn, shots.count, text=_template(file, shots.template, node))
    question = shots.user or prompt.user
    if question is None:
        message = "few_shot: turns need `user`, the template of an example's question"
        raise SpecError([file.problem((*node, "few_shot"), message, "or use `as: text`")])
    return FewShot(
        drawn, shots.count, _template(file, question, node), _template(file, shots.assistant, node)
    )


def _other_split(file: SpecFile, shots: FewShotSpec, node: NodePath) -> DatasetSpec:
    dataset = file.spec.dataset
    if dataset.loader != "hf" or not isinstance(dataset.arguments, dict):
        message = "few_shot: `split` is for datasets of the `hf` loader"
        raise SpecError([file.problem((*node, "few_shot"), message, "name a file with `dataset`")])
    arguments = {**dataset.arguments, "split": shots.split}
    return dataset.model_copy(update={"arguments": arguments, "limit": None, "shuffle": None})
