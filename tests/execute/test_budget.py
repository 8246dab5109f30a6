"""A budget is reserved before a request is sent, and settled by what it took."""

from regrade.execute.budget import Budget, BudgetLimits, estimated_tokens
from regrade.types import Completion, Failure, Key, Model, Outcome, Price, Request, Sample, Usage

MODEL = Model("m", "m", price=Price(prompt=0.0, completion=10_000.0))  # a cent a token


def request(number: int, **params: object) -> Request:
    """Return one request."""
    sample = Sample(f"s{number}", "q", "a", {}, "f")
    key = Key("e", "p", "m", sample.id, 1)
    return Request(
        key, number, MODEL, "chat", [{"role": "user", "content": "x" * 40}], "", dict(params), "h", sample
    )


def answered(one: Request, tokens: int) -> Outcome:
    """Return an answer that took so many tokens."""
    return Outcome(one, Completion("a", usage=Usage(0, tokens)))


def test_the_estimate_takes_the_limit_of_the_request() -> None:
    """Four bytes a token for the prompt; `max_tokens` for the answer, or the largest one known."""
    prompt, answer = estimated_tokens(request(1, max_tokens=7))
    assert 10 <= prompt <= 25
    assert answer == 7
    assert estimated_tokens(request(1), 99)[1] == 99


def test_money_is_reserved_and_given_back() -> None:
    """What might be too much waits for what is in flight; what it did not take is free again."""
    budget = Budget(BudgetLimits(cost_usd=0.25), lambda: 0.0)
    first, second, third = (request(number, max_tokens=20) for number in range(3))
    assert budget.ruling(first) == "send"
    assert budget.ruling(second) == "wait"
    budget.settle(answered(first, 2), 0.02)
    assert budget.ruling(second) == "send"
    budget.settle(answered(second, 20), 0.20)
    assert budget.ruling(third) == "stop"
    assert budget.used_up == "--max-cost"


def test_tokens_are_limited() -> None:
    """Prompt and answer count together."""
    budget = Budget(BudgetLimits(tokens=100), lambda: 0.0)
    one = request(1, max_tokens=50)
    assert budget.ruling(one) == "send"
    budget.settle(Outcome(one, Completion("a", usage=Usage(60, 30))))
    assert budget.ruling(request(2, max_tokens=50)) == "stop"
    assert budget.used_up == "--max-tokens-total"


def test_requests_are_counted_with_their_retries() -> None:
    """Three attempts are three, whoever they belong to; what is reserved counts already."""
    budget = Budget(BudgetLimits(requests=3), lambda: 0.0)
    assert budget.ruling(request(1)) == budget.ruling(request(2)) == "send"
    assert budget.attempt(first=True)
    assert budget.attempt(first=True)
    assert budget.attempt(first=False)
    assert not budget.attempt(first=False)
    assert budget.ruling(request(3)) == "stop"
    assert budget.used_up == "--max-requests"


def test_time_counts_from_the_first_request() -> None:
    """Nothing starts after the time is up."""
    now = [5.0]
    budget = Budget(BudgetLimits(seconds=10), lambda: now[0])
    assert budget.ruling(request(1)) == "send"
    now[0] = 14.9
    assert budget.ruling(request(2)) == "send"
    now[0] = 15.0
    assert budget.ruling(request(3)) == "stop"
    assert budget.used_up == "--max-time"


def test_failures_beyond_the_limit_end_the_run() -> None:
    """The limit itself is allowed; one more is too many, and what was cancelled is none."""
    budget = Budget(BudgetLimits(failures=1), lambda: 0.0)
    for kind, used_up in (("cancelled", None), ("timeout", None), ("timeout", "--max-failures")):
        budget.settle(Outcome(request(1), failure=Failure(kind, "no")))  # type: ignore[arg-type] # kinds of failures
        assert budget.used_up == used_up
