"""What `import regrade` gives, and the only place where the rooms are wired together.

What compares, gates and sizes runs computes with arrays; it is imported when it is first used, so that a run
sends its first request before numpy and pyarrow are loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from regrade.api.browsing import SampleFilter, sample_records
from regrade.api.checking import CheckedEval, RenderedPrompt, validate
from regrade.api.ci import announce
from regrade.api.inventory import Suite, endpoint_models, inventory, spec_schema, suites
from regrade.api.opening import open_run, runs
from regrade.api.options import RunOptions, environment
from regrade.api.planning import PlannedModel
from regrade.api.probing import ProbedModel, probe_models
from regrade.api.rescoring import rescore
from regrade.api.results import Baseline, Run, export, export_document, exporter_name, run_document
from regrade.api.runner import LiveRun
from regrade.api.running import arun, plan_run, run
from regrade.errors import RegradeError
from regrade.store import ResponseCache, cache_path

if TYPE_CHECKING:
    from regrade.api.baselining import baselines, damaged_baselines, open_baseline, set_baseline
    from regrade.api.comparing import ComparedRuns, compare
    from regrade.api.gating import GatedRun, GateOptions, gate
    from regrade.api.precheck import check_gate, pinned_baseline
    from regrade.api.sizing import PowerOptions, PowerRow, power
    from regrade.api.traffic import TrafficDataset, TrafficOptions, dataset_from_cassette

__all__ = [
    "Baseline",
    "CheckedEval",
    "ComparedRuns",
    "GateOptions",
    "GatedRun",
    "LiveRun",
    "PlannedModel",
    "PowerOptions",
    "PowerRow",
    "ProbedModel",
    "RegradeError",
    "RenderedPrompt",
    "ResponseCache",
    "Run",
    "RunOptions",
    "SampleFilter",
    "Suite",
    "TrafficDataset",
    "TrafficOptions",
    "announce",
    "arun",
    "baselines",
    "cache_path",
    "check_gate",
    "compare",
    "damaged_baselines",
    "dataset_from_cassette",
    "endpoint_models",
    "environment",
    "export",
    "export_document",
    "exporter_name",
    "gate",
    "inventory",
    "open_baseline",
    "open_run",
    "pinned_baseline",
    "plan_run",
    "power",
    "probe_models",
    "rescore",
    "run",
    "run_document",
    "runs",
    "sample_records",
    "set_baseline",
    "spec_schema",
    "suites",
    "validate",
]

_LATER = {
    "Baseline": "regrade.api.results",
    "baselines": "regrade.api.baselining",
    "damaged_baselines": "regrade.api.baselining",
    "open_baseline": "regrade.api.baselining",
    "set_baseline": "regrade.api.baselining",
    "ComparedRuns": "regrade.api.comparing",
    "compare": "regrade.api.comparing",
    "GatedRun": "regrade.api.gating",
    "GateOptions": "regrade.api.gating",
    "gate": "regrade.api.gating",
    "check_gate": "regrade.api.precheck",
    "pinned_baseline": "regrade.api.precheck",
    "PowerOptions": "regrade.api.sizing",
    "PowerRow": "regrade.api.sizing",
    "power": "regrade.api.sizing",
    "TrafficDataset": "regrade.api.traffic",
    "TrafficOptions": "regrade.api.traffic",
    "dataset_from_cassette": "regrade.api.traffic",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
