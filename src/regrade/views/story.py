"""Everything about one sample, as people read it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from regrade.views.runs import FactView
from regrade.views.samples import Look

__all__ = [
    "AttemptView",
    "CallView",
    "JudgeView",
    "MessageView",
    "PastView",
    "PieceView",
    "ScoreView",
    "SpanView",
    "StoryView",
    "TextPageView",
    "TextView",
]

SpanKind: TypeAlias = Literal["bad", "wait", "ok"]


@dataclass(frozen=True, slots=True)
class TextView:
    """A text of a sample, perhaps its beginning alone.

    Attributes:
        text: What is shown.
        cut: How much that is of how much; empty where it is all.
        href: All of it; empty where it is shown.
    """

    text: str
    cut: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class CallView:
    """A function that was called.

    Attributes:
        name: Of the function.
        arguments: As they were written.
        id: What its result refers to.
    """

    name: str
    arguments: TextView
    id: str = ""


@dataclass(frozen=True, slots=True)
class PieceView:
    """A part of a message.

    Attributes:
        kind: A text, or what stands for an image or a sound, or something that is shown as JSON.
        text: It.
    """

    kind: Literal["text", "media", "json"]
    text: TextView


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message of the conversation.

    Attributes:
        role: Who speaks.
        who: The same with a name, or with what it answers.
        pieces: What it holds.
        calls: What it calls.
        fold: What stands there while it is folded; empty where it is open.
    """

    role: str
    who: str
    pieces: tuple[PieceView, ...]
    calls: tuple[CallView, ...] = ()
    fold: str = ""


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A score.

    Attributes:
        name: Scorer, and metric where it has another name.
        detail: Version and the like.
        value: As people read it.
        look: What it means; empty where it means neither right nor wrong.
        label: What was found and what was expected.
        reason: Why, in the scorer's words, or why there is none.
    """

    name: str
    detail: str
    value: str
    look: Look
    label: str
    reason: TextView


@dataclass(frozen=True, slots=True)
class JudgeView:
    """A question that a scorer put to a model.

    Attributes:
        name: Which question, to which model.
        said: Tokens, seconds and the like.
        messages: The question.
        answer: The answer, or why there is none.
        failed: Whether there is none.
    """

    name: str
    said: str
    messages: tuple[MessageView, ...]
    answer: TextView
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PastView:
    """What became of the same sample somewhere else.

    Attributes:
        name: Where.
        look: What it came to.
        href: Its story; empty where there is none.
        on: Whether it is the one that is open.
    """

    name: str
    look: Look
    href: str = ""
    on: bool = False


@dataclass(frozen=True, slots=True)
class SpanView:
    """A stretch of time.

    Attributes:
        kind: Attempts that failed, waiting, or the answer.
        seconds: Its length.
        text: The same in words.
    """

    kind: SpanKind
    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One time that a request was sent.

    Attributes:
        n: Which time; of several that were not kept the first and the last.
        began: How long after the first it was sent.
        took: How long it took.
        outcome: How it ended, in words.
        look: Whether that is an answer or a failure; empty where it was not kept.
        then: What was waited before the next, and why; empty for the last.
    """

    n: str
    began: str
    took: str
    outcome: str
    look: Look = ""
    then: str = ""


@dataclass(frozen=True, slots=True)
class StoryView:
    """The story.

    Attributes:
        name: The sample's id.
        look: What it came to.
        said: The same in a word.
        facts: Where it belongs.
        messages: What was asked.
        model: Who answered.
        answer: The answer; None where none came.
        calls: What the answer calls.
        reasoning: What the model thought; None where it did not say.
        reasoning_said: How much that is.
        failure: Why no answer came; empty where one did.
        remark: What else to know of the answer.
        target: The right answer; None without one.
        scores: What scorers said.
        judges: What they asked other models.
        epochs: The same question to the same model, again.
        others: To other models, and with other prompts.
        past: In earlier runs, oldest first.
        spans: Where the time went.
        attempts: Each time that it was sent; empty where the first one was answered, and for older runs.
        figures: Latency, tokens, cost, finish.
        curl: The request for a shell; None where none can be made.
        curl_said: What to know of it, or why there is none.
        metadata: Fields of the sample.
        raw: Messages and answer as they are recorded; None unless they were asked for.
        close: The table alone.
        previous: The story of the row before; empty for none.
        next: That of the row behind.
        rendered: This, rendered.
        as_recorded: This, raw.
    """

    name: str
    look: Look
    said: str
    facts: tuple[str, ...]
    messages: tuple[MessageView, ...]
    model: str
    answer: TextView | None
    calls: tuple[CallView, ...]
    reasoning: TextView | None
    reasoning_said: str
    failure: str
    remark: str
    target: TextView | None
    scores: tuple[ScoreView, ...]
    judges: tuple[JudgeView, ...]
    epochs: tuple[PastView, ...]
    others: tuple[PastView, ...]
    past: tuple[PastView, ...]
    spans: tuple[SpanView, ...]
    attempts: tuple[AttemptView, ...]
    figures: tuple[FactView, ...]
    curl: TextView | None
    curl_said: str
    metadata: tuple[tuple[str, str], ...]
    raw: tuple[tuple[str, TextView], ...] | None
    close: str
    previous: str
    next: str
    rendered: str
    as_recorded: str


@dataclass(frozen=True, slots=True)
class TextPageView:
    """A stretch of a long text.

    Attributes:
        title: What it is of.
        said: Which characters of how many.
        text: The stretch.
        story: Where it belongs.
        file: All of it as a file.
        previous: The stretch before; empty for none.
        next: The stretch behind.
    """

    title: str
    said: str
    text: str
    story: str
    file: str
    previous: str = ""
    next: str = ""
