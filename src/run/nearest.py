"""What the user may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'loss'?` for `los`, or the empty string where nothing is near."""
    near = difflib.get_close_matches(word, sorted(set(choices)), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
