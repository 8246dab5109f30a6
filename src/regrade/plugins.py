"""The registry of plug-ins: built-ins by name, entry points of installed packages, and `file.py:name`.

Nothing registers itself by being imported. The composition root makes a `Registry` and hands it on; a name is
turned into an object only when somebody asks for it.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, TypeAlias

from regrade.errors import MissingExtraError, PluginError, did_you_mean
from regrade.jsonio import short_hash

__all__ = ["BUILT_INS", "Kind", "Registry", "did_you_mean", "load_code"]

Kind: TypeAlias = Literal["loader", "provider", "scorer", "metric", "exporter"]

_METHODS: Mapping[Kind, tuple[str, ...]] = {
    "loader": ("load",),
    "provider": ("complete",),
    "scorer": ("score", "score_asking"),
    "metric": ("estimate",),
    "exporter": ("export",),
}

BUILT_INS: Mapping[Kind, Mapping[str, str]] = {
    "loader": {
        "jsonl": "regrade.loaders.json_lines:JsonLines",
        "json": "regrade.loaders.json_file:JsonFile",
        "csv": "regrade.loaders.delimited:Csv",
        "tsv": "regrade.loaders.delimited:Tsv",
        "parquet": "regrade.loaders.parquet:Parquet",
        "rows": "regrade.loaders.inline:InlineRows",
        "hf": "regrade.loaders.hugging_face:HuggingFace",
        "python": "regrade.loaders.function:Function",
    },
    "provider": {
        "openai": "regrade.providers.openai:OpenAICompatible",
        "outputs": "regrade.providers.outputs:RecordedOutputs",
        "python": "regrade.providers.function:PythonCallable",
    },
    "scorer": {
        "exact_match": "regrade.scorers.text:ExactMatch",
        "includes": "regrade.scorers.text:Includes",
        "regex": "regrade.scorers.text:Regex",
        "numeric": "regrade.scorers.numeric:Numeric",
        "choice": "regrade.scorers.choice:MultipleChoice",
        "classification": "regrade.scorers.choice:Classification",
        "json_valid": "regrade.scorers.json_answer:JsonValid",
        "json_schema": "regrade.scorers.json_answer:JsonSchema",
        "json_fields": "regrade.scorers.json_answer:JsonFields",
        "tool_calls": "regrade.scorers.tool_calls:ToolCalls",
        "valid_arguments": "regrade.scorers.tool_calls:ValidArguments",
        "token_f1": "regrade.scorers.overlap:TokenF1",
        "rouge": "regrade.scorers.overlap:Rouge",
        "bleu": "regrade.scorers.overlap:Bleu",
        "chrf": "regrade.scorers.overlap:Chrf",
        "edit_distance": "regrade.scorers.overlap:EditDistance",
        "model_graded": "regrade.scorers.judge:ModelGraded",
        "pairwise": "regrade.scorers.judge:Pairwise",
        "python": "regrade.scorers.function:PythonScorer",
    },
    "metric": {
        "mean": "regrade.metrics.means:Mean",
        "accuracy": "regrade.metrics.means:Accuracy",
        "parsed_rate": "regrade.metrics.means:ParsedRate",
        "pass_at_k": "regrade.metrics.epochs:PassAtK",
        "pass_all_k": "regrade.metrics.epochs:PassAllK",
        "flaky": "regrade.metrics.epochs:Flaky",
        "macro_f1": "regrade.metrics.labels:MacroF1",
        "micro_f1": "regrade.metrics.labels:MicroF1",
        "balanced_accuracy": "regrade.metrics.labels:BalancedAccuracy",
        "mcc": "regrade.metrics.labels:Mcc",
    },
    "exporter": {
        "csv": "regrade.exporters.delimited:CsvTable",
        "html": "regrade.exporters.html:HtmlReport",
        "json": "regrade.exporters.json_document:JsonDocument",
        "junit.xml": "regrade.exporters.junit:JUnitXml",
        "md": "regrade.exporters.markdown:Markdown",
        "metrics.txt": "regrade.exporters.openmetrics:OpenMetrics",
        "openmetrics": "regrade.exporters.openmetrics:OpenMetrics",
        "xml": "regrade.exporters.junit:JUnitXml",
    },
}


class Registry:
    """All plug-ins that one program can reach, by kind and name.

    Args:
        built_ins: Kind to name to "module:attribute".
        installed: Returns the entry points of a group; default those of all installed packages.
    """

    def __init__(
        self,
        built_ins: Mapping[Kind, Mapping[str, str]] = BUILT_INS,
        installed: Callable[[str], Iterable[EntryPoint]] | None = None,
    ) -> None:
        read = cache(entry_points)  # every installed package is looked at: once for all groups
        self._built_ins = built_ins
        self._installed = installed or (lambda group: read().select(group=group))
        self._added: dict[tuple[Kind, str], type[Any] | Callable[..., Any]] = {}

    def add(self, kind: Kind, name: str, plugin: Callable[..., Any]) -> None:
        """Make an object of the caller's own reachable by name.

        Raises:
            PluginError: When it does not keep the protocol of its kind.
        """
        self._check(kind, name, plugin)
        self._added[kind, name] = plugin

    def names(self, kind: Kind) -> list[str]:
        """Return every reachable name of the kind, sorted; imports no plug-in."""
        installed = {point.name for point in self._installed(f"regrade.{kind}s")}
        added = {name for of, name in self._added if of == kind}
        return sorted({*self._built_ins[kind], *installed, *added})

    def load(self, kind: Kind, name: str, folder: Path | None = None) -> Callable[..., Any]:
        """Return the plug-in's class (or factory), importing its module now.

        Args:
            kind: What the plug-in is for.
            name: A known name, or `file.py:attribute` relative to `folder`.
            folder: Where relative files are looked for; default the working directory.

        Raises:
            PluginError: Unknown name, or an object that does not keep the protocol.
            MissingExtraError: When the plug-in's own package is not installed.
        """
        if (kind, name) in self._added:
            return self._added[kind, name]
        if name in self._built_ins[kind]:
            return _resolve(self._built_ins[kind][name])
        if ".py:" in name:
            plugin = load_code(name, folder or Path())
            self._check(kind, name, plugin)
            return plugin
        for point in self._installed(f"regrade.{kind}s"):
            if point.name == name:
                plugin = point.load()
                self._check(kind, name, plugin)
                return plugin  # type: ignore[no-any-return] # an entry point is untyped; checked above
        raise PluginError(f'unknown {kind} "{name}"', hint=self.suggest(kind, name))

    def suggest(self, kind: Kind, name: str) -> str:
        """Return the hint for an unknown name: the nearest one, else all of them."""
        known = self.names(kind)
        return did_you_mean(name, known) or f"known {kind}s: {', '.join(known)}"

    @staticmethod
    def _check(kind: Kind, name: str, plugin: object) -> None:
        if not callable(plugin):
            raise PluginError(f'{kind} "{name}" is not callable')
        methods = _METHODS[kind]
        if inspect.isclass(plugin) and not any(callable(getattr(plugin, method, None)) for method in methods):
            raise PluginError(f'{kind} "{name}" has no method {" or ".join(f"{m}()" for m in methods)}')


def load_code(reference: str, folder: Path) -> Callable[..., Any]:
    """Import `file.py:attribute` from a file and return the attribute.

    Raises:
        PluginError: When the file, its import or the attribute fails; names the file.
    """
    file_name, _, attribute = reference.rpartition(":")
    path = (folder / file_name).resolve()
    if not path.is_file():
        raise PluginError(f"{file_name}: no such file", hint=f"looked for {path}")
    module_name = f"_regrade_user_{short_hash(str(path))}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            del sys.modules[module_name]
            raise PluginError(f"{file_name} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, attribute):
        known = [name for name in vars(module) if not name.startswith("_")]
        raise PluginError(f'{file_name} has no "{attribute}"', hint=did_you_mean(attribute, known))
    found: Callable[..., Any] = getattr(module, attribute)
    return found


def _resolve(target: str) -> Callable[..., Any]:
    module_name, attribute = target.split(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module_name), attribute)
    except ModuleNotFoundError as error:
        if error.name and not error.name.startswith("regrade"):
            extra = _EXTRA_OF.get(error.name.partition(".")[0], "all")
            raise MissingExtraError(error.name, extra, f"{attribute}") from error
        raise
    return found


_EXTRA_OF = {"sklearn": "classification", "rouge_score": "text", "sacrebleu": "text", "datasets": "hf"}
