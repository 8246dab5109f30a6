"""What `import regrade` gives, and the only place where the rooms are wired together."""

from regrade.api.browsing import SampleFilter, sample_records
from regrade.api.checking import CheckedEval, RenderedPrompt, validate
from regrade.api.inventory import Suite, endpoint_models, inventory, spec_schema, suites
from regrade.api.opening import open_run, runs
from regrade.api.options import RunOptions, environment
from regrade.api.planning import PlannedModel
from regrade.api.rescoring import rescore
from regrade.api.results import Run, export, exporter_name
from regrade.api.runner import LiveRun
from regrade.api.running import arun, plan_run, run
from regrade.errors import RegradeError
from regrade.store import ResponseCache, cache_path

__all__ = [
    "CheckedEval",
    "LiveRun",
    "PlannedModel",
    "RegradeError",
    "RenderedPrompt",
    "ResponseCache",
    "Run",
    "RunOptions",
    "SampleFilter",
    "Suite",
    "arun",
    "cache_path",
    "endpoint_models",
    "environment",
    "export",
    "exporter_name",
    "inventory",
    "open_run",
    "plan_run",
    "rescore",
    "run",
    "runs",
    "sample_records",
    "spec_schema",
    "suites",
    "validate",
]
