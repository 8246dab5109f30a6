"""What an answer cost."""

from regrade.types import Price

__all__ = ["answer_cost"]


def answer_cost(
    price: Price | None, prompt_tokens: int | None, completion_tokens: int | None, *, cached: bool = False
) -> float | None:
    """Return US dollars; None where price or token counts are not known.

    Args:
        price: Per million tokens.
        prompt_tokens: As the endpoint counted them.
        completion_tokens: Likewise.
        cached: An answer from the cache costs nothing.
    """
    if cached:
        return 0.0
    if price is None or prompt_tokens is None or completion_tokens is None:
        return None
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6
