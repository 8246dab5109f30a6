"""The columns of the result tables."""

import pyarrow as pa

__all__ = ["COMPARISONS", "KEY", "SAMPLES", "SCORES", "SUMMARY", "VERSION"]

VERSION = {b"regrade.schema": b"1"}

_TEXT = pa.string()

KEY = [
    pa.field("eval", _TEXT, nullable=False),
    pa.field("prompt", _TEXT, nullable=False),
    pa.field("model", _TEXT, nullable=False),
    pa.field("sample_id", _TEXT, nullable=False),
    pa.field("epoch", pa.int32(), nullable=False),
    pa.field("role", _TEXT, nullable=False),
]

SAMPLES = pa.schema(
    [
        *KEY,
        pa.field("ok", pa.bool_(), nullable=False),
        pa.field("text", _TEXT),
        pa.field("tool_calls", _TEXT),
        pa.field("reasoning", _TEXT),
        pa.field("finish_reason", _TEXT),
        pa.field("cut_in_reasoning", pa.bool_()),
        pa.field("choice_mode", _TEXT),
        pa.field("choice_logprobs", _TEXT),
        pa.field("parsed", pa.bool_()),
        pa.field("prompt_tokens", pa.int64()),
        pa.field("completion_tokens", pa.int64()),
        pa.field("reasoning_tokens", pa.int64()),
        pa.field("cached_tokens", pa.int64()),
        pa.field("cost_usd", pa.float64()),
        pa.field("cached", pa.bool_(), nullable=False),
        pa.field("ttft_s", pa.float64()),
        pa.field("latency_s", pa.float64()),
        pa.field("queue_s", pa.float64()),
        pa.field("throttle_s", pa.float64()),
        pa.field("retry_s", pa.float64()),
        pa.field("attempts", pa.int32()),
        pa.field("attempt_log", _TEXT),
        pa.field("failure_kind", _TEXT),
        pa.field("failure_message", _TEXT),
        pa.field("fingerprint", _TEXT),
        pa.field("cluster", _TEXT),
        pa.field("input", _TEXT),
        pa.field("target", _TEXT),
        pa.field("messages", _TEXT),
        pa.field("params", _TEXT),
        pa.field("metadata", _TEXT),
        pa.field("hash", _TEXT),
    ],
    metadata=VERSION,
)
"""`input` and `target`: texts as they are, else JSON; `tool_calls`, `choice_logprobs`, `attempt_log`,
`messages`, `params`, `metadata`: JSON.

Runs of an older regrade lack the columns that were added since; they read as null. `VERSION` grows only
when an older regrade would misread a table.
"""

SCORES = pa.schema(
    [
        *KEY,
        pa.field("scorer", _TEXT, nullable=False),
        pa.field("version", _TEXT),
        pa.field("metric", _TEXT, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("label", _TEXT),
        pa.field("expected", _TEXT),
        pa.field("parsed", pa.bool_()),
        pa.field("reason", _TEXT),
        pa.field("failure_kind", _TEXT),
        pa.field("failure_message", _TEXT),
    ],
    metadata=VERSION,
)

SUMMARY = pa.schema(
    [
        pa.field("eval", _TEXT, nullable=False),
        pa.field("prompt", _TEXT, nullable=False),
        pa.field("model", _TEXT, nullable=False),
        pa.field("scorer", _TEXT, nullable=False),
        pa.field("metric", _TEXT, nullable=False),
        pa.field("better", _TEXT, nullable=False),
        pa.field("slice", _TEXT, nullable=False),
        pa.field("value", pa.float64()),
        pa.field("se", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("level", pa.float64(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        pa.field("n_failed", pa.int64(), nullable=False),
        pa.field("method", _TEXT, nullable=False),
        pa.field("note", _TEXT, nullable=False),
    ],
    metadata=VERSION,
)

COMPARISONS = pa.schema(
    [
        *(
            pa.field(name, _TEXT, nullable=False)
            for name in ("eval", "prompt_a", "model_a", "prompt_b", "model_b", "scorer", "metric", "better")
        ),
        pa.field("share", pa.bool_(), nullable=False),
        pa.field("n", pa.int64(), nullable=False),
        *(
            pa.field(name, pa.float64())
            for name in ("value_a", "value_b", "difference", "se", "low", "high", "level", "p", "p_adjusted")
        ),
        *(pa.field(name, pa.int64()) for name in ("wins", "losses", "ties")),
        pa.field("detectable", pa.float64()),
        pa.field("missing_a", pa.int64(), nullable=False),
        pa.field("missing_b", pa.int64(), nullable=False),
        pa.field("method", _TEXT, nullable=False),
        pa.field("note", _TEXT, nullable=False),
    ],
    metadata=VERSION,
)
"""Pairs of models of a prompt, and of prompts of a model, within one run; `difference` is B - A as it is."""
