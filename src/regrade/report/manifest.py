"""What was run, with what, and the command that runs it again."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regrade.addresses import joined
from regrade.report.numbers import format_count, format_money
from regrade.types import JsonObject
from regrade.views import ManifestView

__all__ = ["manifest_view", "remade_by_resuming", "resume_command"]

_SPEC_LIMIT = 20_000
_CONNECTIONS = 32
_SPECS_TOLD = 3
_LEVEL = 0.95
_HIDDEN = ("name", "identity", "eval", "judge", "options", "price", "params", "inline_reasoning", "stream")


def manifest_view(record: JsonObject, results: str, state: str, eval_: str = "") -> ManifestView:
    """Return the manifest as people read it.

    Args:
        record: `run.json`.
        results: The results folder as it was named.
        state: How far the run is: `running`, `stopped`, `success` and so on.
        eval_: Whose dataset, scorers and spec come first; empty for the order of the run.
    """
    resume, note = _resume(record, results, state)
    repeat, repeat_note = _repeat(record, results)
    return ManifestView(
        facts=tuple((name, text) for name, text in _facts(record, eval_) if text),
        specs=tuple(_spec(one) for one in sorted(record["specs"], key=lambda one: one["name"] != eval_)),
        repeat=repeat,
        repeat_note=repeat_note,
        resume=resume,
        resume_note=note,
    )


def resume_command(run: str, results: str, *more: str) -> str:
    """Return the command that goes on with a run."""
    return shlex.join(["regrade", "run", "--resume", run, *more, *_results(results)])


def remade_by_resuming(specs: Sequence[JsonObject]) -> str:
    """Return what resuming does for tables that are damaged, and what it takes.

    Args:
        specs: Of the run, as its manifest has them.
    """
    files = list(dict.fromkeys(str(one["file"]) for one in specs))
    told = ", ".join(files[:_SPECS_TOLD]) + (
        f" and {len(files) - _SPECS_TOLD} more" if len(files) > _SPECS_TOLD else ""
    )
    return (
        "Resuming makes the tables anew from the journal and asks no model. It needs the specs and datasets "
        f"of the run ({told}): give the command in the folder in which the run began."
    )


def _results(results: str) -> list[str]:
    return [] if results == "results" else ["--results", results]


def _facts(record: JsonObject, eval_: str) -> Iterable[tuple[str, str]]:
    git = record.get("git") or {}
    if git.get("commit"):
        yield "Git commit", f"{git['commit']}{', with files changed since' if git.get('changed') else ''}"
    datasets, measures = record.get("datasets") or {}, record.get("measures") or {}
    for names in ([eval_], [name for name in {**datasets, **measures} if name != eval_]):
        yield from (("Dataset", _dataset(record, name, datasets[name])) for name in names if name in datasets)
        yield from (("Scorers", _scorers(name, measures[name])) for name in names if name in measures)
    yield from _models(record.get("models") or ())
    yield "Multiple choice", _modes(record.get("models") or ())
    counts = record.get("counts") or {}
    yield "Requests", ", ".join(f"{count:,} {name}" for name, count in counts.items())
    options = {name: value for name, value in (record.get("options") or {}).items() if value is not None}
    yield "Options", ", ".join(f"{name} {_plainly(value)}" for name, value in options.items())
    yield "Tags", ", ".join(record.get("tags") or ())
    yield "Scores the answers of", record.get("parent") or ""
    yield "Replays", record.get("replay_of") or ""
    versions = ", ".join(f"{name} {number}" for name, number in (record.get("versions") or {}).items())
    yield "Versions", f"{versions}, schema {record.get('schema_version', 0)}" if versions else ""


def _scorers(name: str, measures: Sequence[JsonObject]) -> str:
    told = "; ".join(
        f"{one['scorer']}: {', '.join(str(metric['name']) for metric in one.get('metrics', ()))}"
        for one in measures
    )
    return f"{name}: {told}" if told else ""


def _dataset(record: JsonObject, name: str, found: Mapping[str, Any]) -> str:
    spec = next((one.get("spec") or {} for one in record["specs"] if one["name"] == name), {})
    dataset = spec.get("dataset")
    path = dataset.get("path") if isinstance(dataset, dict) else None
    where = f"{name}: {path}" if path else name
    text = f"{where}, {format_count(found.get('samples'))} samples"
    return f"{text}, fingerprint {found['fingerprint']}" if found.get("fingerprint") else text


def _models(models: Sequence[JsonObject]) -> Iterable[tuple[str, str]]:
    told: dict[tuple[str, str], list[str]] = {}
    for one in models:
        head = "Judge" if one.get("judge") else "Model"
        told.setdefault((head, f"{one['name']}: {_model(one)}"), []).append(str(one.get("eval", "")))
    several = len({one.get("eval") for one in models if not one.get("judge")}) > 1
    everywhere = {len(evals) for (head, _), evals in told.items() if head == "Model"}
    for (head, text), evals in told.items():
        aside = several and head == "Model" and len(everywhere) > 1
        yield head, f"{text} (in {', '.join(evals)})" if aside else text


def _model(one: JsonObject) -> str:
    parts = [
        f"{name} {_plainly(value)}"
        for name, value in one.items()
        if name not in _HIDDEN and value and (name, value) != ("id", one["name"])
    ]
    price = one.get("price")
    if isinstance(price, dict):
        parts.append(
            f"price {format_money(price.get('prompt'))} in, {format_money(price.get('completion'))} out "
            "per million tokens"
        )
    params = one.get("params")
    if isinstance(params, dict) and params:
        parts.append(", ".join(f"{name} {_plainly(value)}" for name, value in params.items()))
    return ", ".join(parts)


def _modes(models: Sequence[JsonObject]) -> str:
    modes: dict[str, dict[str, None]] = {}
    for one in models:
        if one.get("choice_mode"):
            modes.setdefault(str(one["choice_mode"]), {})[str(one["name"])] = None
    return "; ".join(f"{', '.join(names)} as {mode}" for mode, names in modes.items())


def _plainly(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _spec(one: JsonObject) -> tuple[str, str, int, bool]:
    text = json.dumps(one.get("spec") or {}, indent=2, ensure_ascii=False)
    head = f"{one['name']} ({one['file']})" if one.get("file") else str(one["name"])
    return head, text[:_SPEC_LIMIT], text.count("\n") + 1, len(text) <= _SPEC_LIMIT


def _repeat(record: JsonObject, results: str) -> tuple[str, str]:
    """Return the commands that do the same again, and what they do not repeat."""
    git, options = record.get("git") or {}, record.get("options") or {}
    lines = [shlex.join(["git", "checkout", str(git["commit"])])] if git.get("commit") else []
    notes = ["Files differed from that commit."] if git.get("commit") and git.get("changed") else []
    if record.get("parent"):
        words = ["regrade", "score", str(record["parent"])]
    else:
        files = dict.fromkeys(str(one.get("file") or one["name"]) for one in record["specs"])
        words = ["regrade", "run", *files, *_flags(options)]
        if options.get("seed") or options.get("level", _LEVEL) != _LEVEL:
            seed, level = options.get("seed"), options.get("level")
            notes.append(f"It ran with seed {seed} and level {level}, which only Python can set.")
    return "\n".join([*lines, shlex.join([*words, *_results(results)])]), " ".join(notes)


def _flags(options: Mapping[str, Any]) -> Iterable[str]:
    """Yield what was said on the command line."""
    for name in ("models", "limit", "epochs", "max_connections", "record", "replay"):
        value = options.get(name)
        if value is not None and (name, value) != ("max_connections", _CONNECTIONS):
            yield f"--{name.replace('_', '-')}"
            yield joined(map(str, value)) if isinstance(value, list) else str(value)


def _resume(record: JsonObject, results: str, state: str) -> tuple[str, str]:
    """Return the command that goes on with a run, and what that does."""
    if state == "running" or record.get("parent"):
        return "", ""
    if state != "success":
        return resume_command(record["id"], results), "Goes on; nothing that was answered is sent again:"
    if (record.get("counts") or {}).get("failed"):
        again = resume_command(record["id"], results, "--retry-failed")
        return again, "Only the requests that failed:"
    return "", ""
