"""The spec: one YAML file an evaluation, checked whole before anything is loaded or sent."""

from regrade.spec.arguments import ArgumentProblem, argument_schema, build, check_arguments, resolve
from regrade.spec.choices import ChoicesSpec
from regrade.spec.datasets import DatasetSpec
from regrade.spec.document import NodePath
from regrade.spec.evals import EvalSpec
from regrade.spec.gates import GateSpec, RuleSpec
from regrade.spec.loading import CheckPlugin, SpecFile, load_spec
from regrade.spec.messages import checked
from regrade.spec.models import ModelSpec
from regrade.spec.parameters import Parameters
from regrade.spec.prompts import CallSpec, FewShotSpec, MessageSpec, PartSpec, PromptSpec
from regrade.spec.schema import json_schema
from regrade.spec.uses import PluginUse, ScorerUse

__all__ = [
    "ArgumentProblem",
    "CallSpec",
    "CheckPlugin",
    "ChoicesSpec",
    "DatasetSpec",
    "EvalSpec",
    "FewShotSpec",
    "GateSpec",
    "MessageSpec",
    "ModelSpec",
    "NodePath",
    "Parameters",
    "PartSpec",
    "PluginUse",
    "PromptSpec",
    "RuleSpec",
    "ScorerUse",
    "SpecFile",
    "argument_schema",
    "build",
    "check_arguments",
    "checked",
    "json_schema",
    "load_spec",
    "resolve",
]
