"""The samples of a dataset, as a spec says how they are read."""

from pathlib import Path

from regrade.api.providers import build_loader
from regrade.errors import SpecError, TemplateError, UsageError
from regrade.plugins import Registry
from regrade.samples import SampleFields, SampleReader
from regrade.spec import DatasetSpec, NodePath, SpecFile

__all__ = ["dataset_folder", "dataset_name", "sample_reader"]


def sample_reader(
    file: SpecFile,
    dataset: DatasetSpec,
    node: NodePath,
    registry: Registry,
    *,
    limit: float | None = None,
    cluster: str | None = None,
) -> SampleReader:
    """Return the reader of a dataset that stands at a node of the spec."""
    folder = file.folder_of(node)
    where = file.where(node)
    try:
        loader = build_loader(registry, dataset.loader, dataset.arguments, folder)
        fields = SampleFields(
            id=dataset.id,
            input=dataset.input,
            target=dataset.target,
            metadata=dataset.metadata,
            where=dataset.where,
            cluster=cluster,
            shuffle=_seed_of(dataset.shuffle),
            limit=limit,
        )
        cluster_where = file.where(("cluster",)) if cluster is not None else None
        return SampleReader(loader, fields, dataset_name(dataset, folder), where, cluster_where)
    except TemplateError as error:
        place = error.where or where
        raise SpecError([file.document.problem_at(place, error.message, error.hint)]) from error
    except UsageError as error:
        if error.where is not None or isinstance(error, SpecError):
            raise
        raise SpecError([file.problem(node, error.message, error.hint)]) from error


def _seed_of(shuffle: int | bool | None) -> int | None:
    if shuffle is None or shuffle is False:
        return None
    return 0 if shuffle is True else shuffle


def dataset_name(dataset: DatasetSpec, folder: Path) -> str:
    """Return what messages and tables call a dataset: its file, or its loader."""
    arguments = dataset.arguments
    path = arguments.get("path") if isinstance(arguments, dict) else arguments
    if isinstance(path, str) and dataset.loader not in {"hf", "python"}:
        full = (folder / path).resolve()
        return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)
    return f"{dataset.loader} dataset" if not isinstance(path, str) else f"{dataset.loader}: {path}"


def dataset_folder(dataset: DatasetSpec, folder: Path) -> Path:
    """Return where the paths in a dataset begin: the folder of its file, or that of the spec."""
    arguments = dataset.arguments
    path = arguments.get("path") if isinstance(arguments, dict) else arguments
    if isinstance(path, str) and dataset.loader not in {"hf", "python", "rows"}:
        return (folder / path).parent
    return folder
