"""What the user may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`; did you mean 'loss'?` for `los`, or the empty string where nothing is near."""
    near = nearest(word, choices)
    return f"; did you mean {near!r}?" if near else ""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """The choice that a slip of the finger turns into `word`, else the one that looks most like it, else None."""
    known = sorted(set(choices))
    slips = [choice for choice in known if one_edit(word, choice)]
    if slips:  # among several, the one that shares most
        return max(slips, key=lambda choice: difflib.SequenceMatcher(None, word, choice).ratio())
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.6)), None)


def one_edit(a: str, b: str) -> bool:
    """Whether one character was left out, put in, replaced, or swapped with its neighbour."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    a, b = a[start:], b[start:]
    if len(a) != len(b):
        return a[1:] == b or a == b[1:]
    return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
