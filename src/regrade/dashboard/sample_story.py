"""The story of one sample as people read it."""

from collections.abc import Sequence
from dataclasses import dataclass

from regrade.addresses import SamplesAddress, SampleTextAddress, sample_ref
from regrade.dashboard.sample_messages import Link, calls_of, laid_out, messages_of, text_view
from regrade.dashboard.sample_table import SHOWN_AS, key_of, look_of, score_text
from regrade.errors import RegradeError
from regrade.report.attempts import attempt_rows, attempt_spans
from regrade.report.curl import curl_command, why_no_curl
from regrade.report.numbers import MISSING, format_money, format_seconds
from regrade.store import RunEntry
from regrade.store.sample_pages import SampleRow
from regrade.store.sample_story import PastOutcome, SampleStory
from regrade.types import Json, JsonObject, Key
from regrade.views import (
    FactView,
    JudgeView,
    Look,
    PastView,
    ScoreView,
    SpanView,
    StoryView,
    TextView,
)

__all__ = ["Told", "part_text", "story_view"]

_JSON_WHOLE = 50_000
_FACTS = 4


@dataclass(frozen=True, slots=True)
class Told:
    """What a story is made from.

    Attributes:
        run: The run.
        story: What is known of the sample.
        past: What it came to in earlier runs, newest first.
        address: Of the page.
        alone: Whether ids tell samples apart.
        epochs: The highest epoch of its eval.
        previous: The story of the row before; empty for none.
        next: That of the row behind.
    """

    run: RunEntry
    story: SampleStory
    past: Sequence[PastOutcome]
    address: SamplesAddress
    alone: bool
    epochs: int
    previous: str = ""
    next: str = ""

    def link(self, part: str) -> str:
        """Return where a part is shown whole."""
        return SampleTextAddress(self.run.id, self.ref(self.story.key), part).url()

    def ref(self, key: Key) -> str:
        """Return the name of a sample of this run."""
        return sample_ref(key, alone=self.alone)


def story_view(told: Told) -> StoryView:
    """Return the story."""
    story, record = told.story, told.story.record
    curl, said = _curl(told)
    return StoryView(
        name=story.key.sample_id,
        look=look_of(story.outcome),
        said=SHOWN_AS.get(story.outcome, story.outcome),
        facts=_facts(told),
        messages=messages_of(record["messages"], told.link),
        model=story.key.model,
        answer=_answer(record, told.link),
        calls=calls_of(record["tool_calls"], told.link),
        reasoning=text_view(record["reasoning"], told.link("reasoning")) if record["reasoning"] else None,
        reasoning_said=_reasoning_said(record),
        failure=_failure(record),
        remark=_remark(record),
        target=None
        if record["target"] is None
        else text_view(str(record["target"]), told.link("metadata"), 2_000),
        scores=tuple(_score(one) for one in story.scores),
        judges=tuple(_judge(one, told.link) for one in story.judges),
        epochs=_epochs(told),
        others=_others(told),
        past=_past(told),
        spans=_spans(record),
        attempts=attempt_rows(_log(record), record["ttft_s"]),
        figures=_figures(record),
        curl=curl,
        curl_said=said,
        metadata=_metadata(record["metadata"]),
        raw=_raw(told) if told.address.view == "raw" else None,
        close=told.address.url(open=""),
        previous=told.previous,
        next=told.next,
        rendered=told.address.url(view="rendered"),
        as_recorded=told.address.url(view="raw"),
    )


def part_text(story: SampleStory, run: RunEntry, part: str) -> str:
    """Return a part of a sample, whole, as a text; empty where there is none.

    Args:
        story: The sample.
        run: Its run.
        part: As of `SampleTextAddress`.
    """
    record = story.record
    if part == "request":
        model = _model_of(run, story.key)
        return why_no_curl(model) or _command(model or {}, record)
    found = record["text" if part == "answer" else part]
    return "" if found is None else found if isinstance(found, str) else laid_out(found)


def _facts(told: Told) -> tuple[str, ...]:
    key = told.story.key
    facts = [key.model, key.eval]
    if key.prompt != "default":
        facts.append(f"prompt {key.prompt}")
    facts.append(f"epoch {key.epoch} of {told.epochs}" if told.epochs > 1 else "")
    facts += [f"{name}: {text[:60]}" for name, text in _metadata(told.story.record["metadata"])[:_FACTS]]
    return tuple(one for one in facts if one)


def _answer(record: JsonObject, link: Link) -> TextView | None:
    text = record["text"]
    if text is None or (not record["ok"] and not text):
        return None
    whole = _JSON_WHOLE if text.lstrip()[:1] in {"{", "["} else 10_000
    return text_view(text, link("answer"), whole)


def _reasoning_said(record: JsonObject) -> str:
    tokens = record["reasoning_tokens"]
    if tokens is not None:
        return f"{tokens:,} tokens"
    return f"{len(record['reasoning'].split()):,} words" if record["reasoning"] else ""


def _failure(record: JsonObject) -> str:
    if record["ok"]:
        return ""
    kind = str(record["failure_kind"] or "failure").replace("_", " ")
    return f"{kind}: {record['failure_message']}" if record["failure_message"] else kind


def _remark(record: JsonObject) -> str:
    parts = []
    if record["cut_in_reasoning"]:
        parts.append("The limit on tokens ended the answer before it began: it was still reasoning.")
    elif record["finish_reason"] == "length":
        parts.append("The limit on tokens cut the answer off.")
    if record["parsed"] is False:
        parts.append("No answer was found in this text.")
    if record["cached"]:
        parts.append("It came from a cache.")
    return " ".join(parts)


def _score(row: JsonObject) -> ScoreView:
    is_main = row["metric"] == row["scorer"]
    name = row["scorer"] if is_main else f"{row['scorer']}: {row['metric']}"
    value = row["value"]
    look: Look = ""
    if row["failure_kind"]:
        look = "failure"
    elif is_main and value is not None:
        look = "right" if value >= 1 else "wrong" if value <= 0 else ""
    reason = row["reason"] or ""
    if row["failure_kind"]:
        reason = f"not scored, {row['failure_kind'].replace('_', ' ')}: {row['failure_message'] or ''}"
    elif row["parsed"] is False:
        reason = f"no answer found. {reason}".strip()
    return ScoreView(
        name=name,
        detail=f"version {row['version']}" if row["version"] else "",
        value=score_text(value),
        look=look,
        label=_label(row),
        reason=text_view(reason, ""),
    )


def _label(row: JsonObject) -> str:
    if row["label"] is None and row["expected"] is None:
        return ""
    found = MISSING if row["label"] is None else row["label"]
    return found if row["expected"] is None else f"{found}, expected {row['expected']}"


def _judge(record: JsonObject, link: Link) -> JudgeView:
    tokens = [record[name] for name in ("prompt_tokens", "completion_tokens")]
    said = [format_seconds(record["latency_s"])] if record["latency_s"] is not None else []
    said += [f"{sum(one or 0 for one in tokens):,} tokens"] if any(tokens) else []
    answer = record["text"] if record["ok"] else _failure(record)
    return JudgeView(
        name=str(record["role"]),
        said=", ".join(said),
        messages=messages_of(record["messages"], link),
        answer=text_view(answer or "(empty)", ""),
        failed=not record["ok"],
    )


def _epochs(told: Told) -> tuple[PastView, ...]:
    key = told.story.key
    same = [one for one in told.story.siblings if (one.prompt, one.model) == (key.prompt, key.model)]
    if not same:
        return ()
    found = [
        (one.epoch, PastView(f"epoch {one.epoch}", look_of(one.outcome), _sibling(told, one))) for one in same
    ]
    found.append((key.epoch, PastView(f"epoch {key.epoch}", look_of(told.story.outcome), "", on=True)))
    return tuple(one for _, one in sorted(found, key=lambda pair: pair[0]))


def _others(told: Told) -> tuple[PastView, ...]:
    key = told.story.key
    found: dict[tuple[str, str], SampleRow] = {}
    for one in told.story.siblings:
        arm = one.prompt, one.model
        if arm != (key.prompt, key.model) and (arm not in found or one.epoch == key.epoch):
            found[arm] = one
    several = len({prompt for prompt, _ in found} | {key.prompt}) > 1
    return tuple(
        PastView(f"{model}, {prompt}" if several else model, look_of(one.outcome), _sibling(told, one))
        for (prompt, model), one in found.items()
    )


def _sibling(told: Told, row: SampleRow) -> str:
    # The table may be filtered to one model or to wrong answers: this one need not stand in it.
    return SamplesAddress(told.run.id, eval=row.eval, open=told.ref(key_of(row))).url()


def _past(told: Told) -> tuple[PastView, ...]:
    key, found = told.story.key, []
    for one in reversed(told.past):
        href = SamplesAddress(one.run, open=sample_ref(key._replace(epoch=1))).url() if one.outcome else ""
        found.append(PastView(f"{one.run}: {one.outcome or 'not asked'}", look_of(one.outcome), href))
    if not found:
        return ()
    return (*found, PastView(f"this run: {told.story.outcome}", look_of(told.story.outcome), on=True))


def _log(record: JsonObject) -> list[JsonObject]:
    return record["attempt_log"] or []


def _spans(record: JsonObject) -> tuple[SpanView, ...]:
    if _log(record):
        return attempt_spans(_log(record), record["throttle_s"] or 0.0)
    attempts, found = record["attempts"] or 0, []
    failed = attempts - 1 if record["ok"] else attempts
    if record["throttle_s"]:
        text = f"held back {format_seconds(record['throttle_s'])} for the endpoint's rate limit"
        found.append(SpanView("wait", record["throttle_s"], text))
    if failed > 0 and record["retry_s"]:
        words = "1 attempt failed" if failed == 1 else f"{failed} attempts failed"
        text = f"{words}, with the waits behind them {format_seconds(record['retry_s'])}"
        found.append(SpanView("bad", record["retry_s"], text))
    if record["ok"] and record["latency_s"] is not None:
        text = f"answered in {format_seconds(record['latency_s'])}"
        if record["ttft_s"] is not None:
            text += f", first token after {format_seconds(record['ttft_s'])}"
        found.append(SpanView("ok", record["latency_s"], text))
    return tuple(found)


def _figures(record: JsonObject) -> tuple[FactView, ...]:
    waits = sum(record[name] or 0.0 for name in ("throttle_s", "retry_s"))
    latency = record["latency_s"]
    with_waits = f"{format_seconds(latency + waits)} with waits" if latency is not None and waits else ""
    tokens = [record[name] for name in ("prompt_tokens", "completion_tokens")]
    small = []
    if record["reasoning_tokens"]:
        small.append(f"{record['reasoning_tokens']:,} of them reasoning")
    if record["cached_tokens"]:
        small.append(f"{record['cached_tokens']:,} in from a cache")
    counts = [MISSING if one is None else f"{one:,}" for one in tokens]
    known = any(one is not None for one in tokens)
    return (
        FactView("Latency", format_seconds(latency), with_waits),
        FactView("First token", format_seconds(record["ttft_s"])),
        FactView("Tokens", f"{counts[0]} in, {counts[1]} out" if known else MISSING, ", ".join(small)),
        FactView("Cost", format_money(record["cost_usd"])),
        FactView("Finish", str(record["finish_reason"] or MISSING)),
    )


def _model_of(run: RunEntry, key: Key) -> JsonObject | None:
    """Return what the manifest says of a model; None where it cannot be read or says nothing."""
    try:
        models = run.manifest().models
    except RegradeError:
        return None
    fitting = [one for one in models if one.get("name") == key.model and not one.get("judge")]
    own = [one for one in fitting if one.get("eval", key.eval) == key.eval]
    return next(iter(own or fitting), None)


def _command(model: JsonObject, record: JsonObject) -> str:
    params = record["params"]
    return curl_command(model, record["messages"], params if isinstance(params, dict) else {})


def _curl(told: Told) -> tuple[TextView | None, str]:
    model = _model_of(told.run, told.story.key)
    why = why_no_curl(model)
    if why or model is None:
        return None, why
    said = []
    if model.get("base_url") == "demo:":
        said.append("DEMO_URL: what `regrade gateway --demo` prints.")
    if '"image_url"' in (text := _command(model, told.story.record)) or '"input_audio"' in text:
        said.append("Images and sounds are named here, not contained.")
    if model.get("api_key_env"):
        said.append("The key is read from your environment.")
    return text_view(text, told.link("request"), 20_000), " ".join(said)


def _metadata(found: Json) -> tuple[tuple[str, str], ...]:
    if not isinstance(found, dict):
        return () if found is None else (("metadata", _short(found)),)
    return tuple((str(name), _short(value)) for name, value in found.items())


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else laid_out(value)
    return text if len(text) <= 1_000 else f"{text[:1_000]}\u2026 ({len(text):,} characters)"  # noqa: PLR2004 - of a line


def _raw(told: Told) -> tuple[tuple[str, TextView], ...]:
    parts = {"messages": "Messages", "reasoning": "Reasoning", "answer": "Answer", "tool_calls": "Tool calls"}
    found = []
    for part, title in parts.items():
        text = part_text(told.story, told.run, part)
        if text:
            found.append((title, text_view(text, told.link(part))))
    return tuple(found)
