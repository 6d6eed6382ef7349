"""Names in a sentence."""

from collections.abc import Sequence


def named(names: Sequence[str], shown: int = 10) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
