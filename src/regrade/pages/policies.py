"""What a page that is one file may do: show itself."""

import base64
import hashlib

__all__ = ["policy_of"]


def policy_of(style: str) -> str:
    """Return a Content-Security-Policy: nothing runs or loads even where escaping should fail.

    Args:
        style: The one style sheet inside.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
