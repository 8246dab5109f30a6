"""What `import regrade` gives, and the only place where the rooms are wired together."""

from regrade.api.baselines import Baseline, baselines, open_baseline, set_baseline
from regrade.api.browsing import SampleFilter, sample_records
from regrade.api.checking import CheckedEval, RenderedPrompt, validate
from regrade.api.ci import announce
from regrade.api.comparing import ComparedRuns, compare
from regrade.api.gating import GatedRun, GateOptions, gate
from regrade.api.inventory import Suite, endpoint_models, inventory, spec_schema, suites
from regrade.api.opening import open_run, runs
from regrade.api.options import RunOptions, environment
from regrade.api.planning import PlannedModel
from regrade.api.precheck import check_gate
from regrade.api.rescoring import rescore
from regrade.api.results import Run, export, export_document, exporter_name
from regrade.api.runner import LiveRun
from regrade.api.running import arun, plan_run, run
from regrade.api.sizing import PowerOptions, PowerRow, power
from regrade.errors import RegradeError
from regrade.store import ResponseCache, cache_path

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
    "RegradeError",
    "RenderedPrompt",
    "ResponseCache",
    "Run",
    "RunOptions",
    "SampleFilter",
    "Suite",
    "announce",
    "arun",
    "baselines",
    "cache_path",
    "check_gate",
    "compare",
    "endpoint_models",
    "environment",
    "export",
    "export_document",
    "exporter_name",
    "gate",
    "inventory",
    "open_baseline",
    "open_run",
    "plan_run",
    "power",
    "rescore",
    "run",
    "runs",
    "sample_records",
    "set_baseline",
    "spec_schema",
    "suites",
    "validate",
]
