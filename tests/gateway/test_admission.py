"""Rates, budgets and models of a key; time passes when the test says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regrade.execute.pace import _span as seconds_of
from regrade.gateway.admission import KeyAdmission, Price
from regrade.gateway.hooks import Holder
from regrade.gateway.keyring import KeyRing
from regrade.gateway.keys import KeyLimits, KeyStore
from regrade.gateway.limits import Bucket, RateLimits
from regrade.gateway.refusals import Refusal
from regrade.types import JsonObject, Usage

CHAT: JsonObject = {"model": "a/one", "messages": [{"role": "user", "content": "hello"}]}


class Clock:
    """Time that passes when the test says so."""

    now = 100.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


class Door:
    """A server with a file of keys of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = Clock()
        self.ring = KeyRing(path, self.clock)
        self.prices = {"a/one": Price(1.0, 10.0), "a/free": Price()}

    def admission(self, *, is_local: bool = True) -> KeyAdmission:
        """Return what decides."""
        return KeyAdmission(self.ring, self.prices, is_local=is_local, clock=self.clock)

    def holder(self, limits: KeyLimits, name: str = "ci") -> Holder:
        """Make a key and come back with it."""
        with KeyStore(self.path) as store:
            secret = store.add(name, limits)
        self.clock.now += 1
        return self.admission().identify(secret)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Return a server without keys."""
    found = Door(tmp_path / "keys.sqlite")
    yield found
    found.ring.close()


def refusal(holder: Holder, body: JsonObject = CHAT) -> Refusal:
    """Return why a request is not let in."""
    with pytest.raises(Refusal) as caught:
        holder.admit("chat", body)
    return caught.value


def test_before_the_first_key_any_will_do_but_only_here(door: Door) -> None:
    """On a server that others reach no key is right until one is made."""
    holder = door.admission().identify("anything")
    assert holder.sees("a/one")
    assert not holder.admit("chat", CHAT).needs_usage
    for admission, key in ((door.admission(), ""), (door.admission(is_local=False), "anything")):
        with pytest.raises(Refusal) as caught:
            admission.identify(key)
        assert (caught.value.status, caught.value.code) == (401, "invalid_api_key")


def test_once_there_is_a_key_only_keys_will_do(door: Door) -> None:
    """The refusal does not repeat what was sent."""
    assert door.holder(KeyLimits()).name == "ci"
    with pytest.raises(Refusal) as caught:
        door.admission().identify("uai_guess")
    assert caught.value.status == 401
    assert "guess" not in str(caught.value.body())


def test_a_key_sees_only_its_models(door: Door) -> None:
    """Patterns match whole ids, with case."""
    holder = door.holder(KeyLimits(models=("a/*", "b")))
    seen = [one for one in ("a/one", "a/b/c", "b", "bb", "A/one", "c/a/one") if holder.sees(one)]
    assert seen == ["a/one", "a/b/c", "b"]


def test_requests_a_minute(door: Door) -> None:
    """A minute's worth at once, then one by one as time passes; clients learn how long to wait."""
    holder = door.holder(KeyLimits(rpm=6))
    left = [dict(holder.admit("chat", CHAT).headers) for _ in range(6)]
    assert [one["x-ratelimit-remaining-requests"] for one in left] == ["5", "4", "3", "2", "1", "0"]
    assert left[0]["x-ratelimit-reset-requests"] == "10s"
    assert left[5]["x-ratelimit-reset-requests"] == "1m0s"
    assert left[0]["x-ratelimit-limit-requests"] == "6"
    assert "x-ratelimit-limit-tokens" not in left[0]
    stopped = refusal(holder)
    assert (stopped.status, stopped.kind, stopped.code) == (429, "requests", "rate_limit_exceeded")
    assert dict(stopped.headers)["Retry-After"] == "10"
    door.clock.now += 9.5
    assert dict(refusal(holder).headers)["Retry-After"] == "1"
    door.clock.now += 0.5
    holder.admit("chat", CHAT)
    door.clock.now += 3600
    assert dict(holder.admit("chat", CHAT).headers)["x-ratelimit-remaining-requests"] == "5"


def test_tokens_a_minute_are_counted_when_they_are_known(door: Door) -> None:
    """An answer may overdraw; then nothing is let in until that is made up for."""
    holder = door.holder(KeyLimits(tpm=600))
    first, second = holder.admit("chat", CHAT), holder.admit("chat", CHAT)
    assert first.needs_usage
    first.done(Usage(500, 400), 0)
    stopped = refusal(holder)
    assert (stopped.kind, stopped.code) == ("tokens", "rate_limit_exceeded")
    headers = dict(stopped.headers)
    assert headers["Retry-After"] == "31"
    assert headers["x-ratelimit-remaining-tokens"] == "0"
    assert headers["x-ratelimit-reset-tokens"] == "1m30s"
    second.done(Usage(100, 0), 0)
    door.clock.now += 40
    assert refusal(holder).kind == "tokens"
    door.clock.now += 0.2
    holder.admit("chat", CHAT)


@pytest.mark.parametrize(
    ("usage", "text_bytes", "tokens"),
    [
        (Usage(3, 4), 999, 7),
        (None, 40, 10 + 8),
        (Usage(None, 4), 999, 8 + 4),
        (Usage(3, None), 41, 3 + 11),
        (None, 0, 0),
    ],
)
def test_tokens_that_nobody_counted_are_estimated(
    door: Door, usage: Usage | None, text_bytes: int, tokens: int
) -> None:
    """A token for four bytes of prompt and answer; where nothing was answered nothing is taken."""
    holder = door.holder(KeyLimits(tpm=1000))
    body = {"model": "a/one", "prompt": "x" * 32}
    holder.admit("completions", body).done(usage, text_bytes)
    left = dict(holder.admit("completions", body).headers)["x-ratelimit-remaining-tokens"]
    assert int(left) == 1000 - tokens


def test_a_refused_request_takes_no_place(door: Door) -> None:
    """Knocking at a closed door does not keep it closed."""
    holder = door.holder(KeyLimits(rpm=60))
    for _ in range(60):
        holder.admit("chat", CHAT)
    for _ in range(100):
        refusal(holder)
    door.clock.now += 1
    holder.admit("chat", CHAT)


def test_requests_of_one_key_share_its_rate_over_connections(door: Door) -> None:
    """Each request is identified anew; the bucket is the key's, and each key has its own."""
    with KeyStore(door.path) as store:
        one, other = store.add("one", KeyLimits(rpm=1)), store.add("other", KeyLimits(rpm=1))
    door.clock.now += 1
    admission = door.admission()
    admission.identify(one).admit("chat", CHAT)
    assert refusal(admission.identify(one)).status == 429
    admission.identify(other).admit("chat", CHAT)


def test_a_budget_is_kept_and_its_end_is_final(door: Door) -> None:
    """The prices of the catalogue add up on disk; then no waiting helps, and clients are told so."""
    holder = door.holder(KeyLimits(budget_usd=0.01))
    ticket = holder.admit("chat", CHAT)
    assert ticket.needs_usage
    ticket.done(Usage(1000, 400), 0)
    with KeyStore(door.path) as store:
        assert store.in_force()[0].spent_usd == pytest.approx(0.005)
    holder.admit("chat", CHAT).done(Usage(0, 500), 0)
    stopped = refusal(holder)
    assert (stopped.status, stopped.kind, stopped.code) == (429, "insufficient_quota", "insufficient_quota")
    assert dict(stopped.headers) == {"x-should-retry": "false"}
    assert refusal(holder, CHAT | {"model": "a/free"}).code == "insufficient_quota"


def test_a_budget_is_not_spent_on_what_has_no_price(door: Door) -> None:
    """A model whose price nobody knows would make a budget a lie; a free one costs nothing."""
    holder = door.holder(KeyLimits(budget_usd=1))
    stopped = refusal(holder, CHAT | {"model": "a/unknown"})
    assert (stopped.status, stopped.param, stopped.code) == (403, "model", "model_not_priced")
    holder.admit("chat", CHAT | {"model": "a/free"}).done(Usage(10**9, 10**9), 0)
    holder.admit("chat", CHAT)
    door.holder(KeyLimits(), "other").admit("chat", CHAT | {"model": "a/unknown"})


@pytest.mark.parametrize(
    ("level", "text", "seconds"),
    [(100, "0s", 0), (99.8, "120ms", 0.12), (97, "1.8s", 1.8), (0, "1m0s", 60), (-500, "6m0s", 360)],
)
def test_spans_are_written_as_the_executor_reads_them(level: float, text: str, seconds: float) -> None:
    """What this server says is what regrade's own client understands."""
    limits = RateLimits(None, 100, Clock())
    limits.spend(100 - level)  # type: ignore[arg-type] # parts of a token, for the sake of short times
    assert dict(limits.headers())["x-ratelimit-reset-tokens"] == text
    assert seconds_of(text) == pytest.approx(seconds)


def test_a_bucket_holds_no_more_than_a_minutes_worth() -> None:
    """A night of silence does not allow a flood in the morning."""
    clock = Clock()
    bucket = Bucket(60, clock)
    bucket.take(100)
    assert bucket.level == -40
    assert bucket.wait_s(1) == 41
    clock.now += 10**6
    assert bucket.level == 60
