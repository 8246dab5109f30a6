"""From samples to requests: prompts are rendered, keys and hashes are made, nothing is sent."""

from regrade.plan.choices import MOST_OPTIONS, CompiledChoices
from regrade.plan.messages import CallPart, Conversation, MediaPart, MessageTemplate, PromptMessages, TextPart
from regrade.plan.prompts import CompiledPrompt, FewShot, sample_variables
from regrade.plan.requests import EvalPlan, derived_seed, judge_request, plan, plan_missing, request_hash

__all__ = [
    "MOST_OPTIONS",
    "CallPart",
    "CompiledChoices",
    "CompiledPrompt",
    "Conversation",
    "EvalPlan",
    "FewShot",
    "MediaPart",
    "MessageTemplate",
    "PromptMessages",
    "TextPart",
    "derived_seed",
    "judge_request",
    "plan",
    "plan_missing",
    "request_hash",
    "sample_variables",
]
