"""`rescore`: stored outputs through today's scorers, without one request."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from regrade.api.describing import cast_of
from regrade.api.options import RunOptions, environment
from regrade.api.results import Run
from regrade.api.running import Setting, Stored, execute
from regrade.api.specs import load_specs
from regrade.errors import UsageError
from regrade.execute import Timing
from regrade.plugins import Registry
from regrade.store import JournalIndex, find_run
from regrade.types import Failure, Outcome, Request

__all__ = ["rescore"]


def rescore(
    reference: str,
    specs: str | Path | Sequence[str | Path] = (),
    *,
    results: str | Path = "results",
    registry: Registry | None = None,
) -> Run:
    """Score the stored outputs of a run with a changed spec; nothing is sent.

    Outputs are found by eval, prompt, model, sample and epoch. A sample without one is a failure of kind
    `missing_output`, never a zero.

    Args:
        reference: The run: an id, a unique prefix, a path, `latest` or `previous`.
        specs: The specs to score with; default those that the run names.
        results: Where runs lie.
        registry: Plug-ins, when the caller adds its own.

    Returns:
        A new run that names its parent.

    Raises:
        UsageError: An unknown run, or an eval that the run does not hold.
    """
    folder = find_run(Path(results), reference)
    manifest = folder.manifest()
    paths = [Path(one) for one in ([specs] if isinstance(specs, str | Path) else specs)]
    registry = registry or Registry()
    files = load_specs(paths or [Path(spec["file"]) for spec in manifest.specs], registry)
    strange = [file.spec.name for file in files if file.spec.name not in manifest.evals]
    if strange:
        raise UsageError(
            f'the run {folder.id} holds no outputs of the eval "{strange[0]}"',
            hint=f"it holds: {', '.join(manifest.evals)}",
        )
    before = manifest.options
    options = RunOptions(results=Path(results), limit=before.get("limit"), epochs=before.get("epochs"))
    setting = Setting(registry, environment(), Timing())
    index = JournalIndex.read(folder.journal_path, by_key=True)

    def recall(request: Request) -> Outcome | None:
        missing = Failure("missing_output", f"the run {folder.id} holds no answer to this")
        return index.recall(request) or Outcome(request, failure=missing)

    return asyncio.run(execute(files, options, setting, None, Stored(folder.id, cast_of(manifest), recall)))
