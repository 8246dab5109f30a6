"""What carries a run's requests: connections, connections that are recorded, or a recording alone."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from regrade import jsonio
from regrade.api.options import RunOptions
from regrade.errors import StoreError, UsageError
from regrade.http import HttpSession, Session
from regrade.types import Request

if TYPE_CHECKING:
    from regrade.cassette import Recorder, Replayer

__all__ = ["Carrier", "carrier"]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A session, and the cassette behind it.

    Attributes:
        session: Carries requests.
        recorder: Set when they are recorded.
        replayer: Set when a recording answers them.
    """

    session: Session
    recorder: "Recorder | None" = None
    replayer: "Replayer | None" = None

    @property
    def offline(self) -> bool:
        """Return whether nothing is sent: no key is needed and no server is started."""
        return self.replayer is not None

    def attempts(self, request: Request) -> int | None:
        """Return how often a request was sent when its answer was recorded; None where it is sent now."""
        if self.replayer is None or request.model.provider != "openai":
            return None
        return self.replayer.attempts.get(jsonio.dumps(list(request.key)), 1)

    def belongs_to(self, run: str) -> str | None:
        """Tell the cassette which run is recorded; return the id of the run that is replayed, if one is."""
        if self.recorder is not None:
            self.recorder.belongs_to(run)
        return self.replayer.run if self.replayer is not None else None

    def warnings(self, *, ended: bool) -> list[str]:
        """Return what the user should know of the cassette.

        Args:
            ended: Whether the run has ended, so that redaction that found nothing will find nothing.
        """
        torn = self.replayer.torn if self.replayer is not None else ""
        unmatched = self.recorder.unmatched if self.recorder is not None and ended else []
        return [torn, *unmatched] if torn else unmatched

    @property
    def missed(self) -> str:
        """Return what there is to say of requests that the cassette does not hold; "" when it held all."""
        replayer = self.replayer
        if replayer is None or not replayer.misses:
            return ""
        what = "1 request was" if replayer.misses == 1 else f"{replayer.misses:,} requests were"
        first = "" if replayer.misses == 1 else "; the first"
        return f"{what} not found in {replayer.folder}{first}: {replayer.first_miss}"


async def carrier(stack: AsyncExitStack, options: RunOptions, env: Mapping[str, str]) -> Carrier:
    """Return what carries the requests of a run; it is closed with the stack.

    Raises:
        UsageError: Options that exclude each other, or a redaction that is not valid.
        StoreError: A cassette that cannot be read or written.
    """
    _check(options)
    if options.replay is None and options.record is None:
        return Carrier(await stack.enter_async_context(HttpSession()))
    from regrade.cassette import Recorder, RecordingSession, Redaction, Replayer, ReplaySession

    if options.replay is not None:
        replayer = stack.enter_context(Replayer(Path(options.replay)))
        if not len(replayer):
            raise StoreError(
                f"the cassette in {options.replay} is empty: it can answer nothing",
                hint="record a run into it with: regrade run --record DIR",
            )
        return Carrier(ReplaySession(replayer), replayer=replayer)
    assert options.record is not None
    chosen = options.redact or options.redact_patterns
    redaction = Redaction(options.redact, options.redact_patterns) if chosen else None
    recorder = stack.enter_context(Recorder(Path(options.record), redaction))
    for name, value in env.items():
        if name.endswith("_API_KEY"):
            recorder.redaction.hide(value)
    inner = await stack.enter_async_context(HttpSession())
    return Carrier(RecordingSession(inner, recorder), recorder=recorder)


def _check(options: RunOptions) -> None:
    if options.record is not None and options.replay is not None:
        raise UsageError(
            "a run either records or replays", hint="give one of --record and --replay, not both"
        )
    if (options.redact or options.redact_patterns) and options.record is None:
        raise UsageError(
            "--redact and --redact-pattern say what a recording leaves out", hint="they go with --record DIR"
        )
