"""Validation splits for files that come without one."""

import hashlib
from collections.abc import Sequence


def held_out(names: Sequence[str], share: float = 0.2) -> frozenset[str]:
    """Those names, at least one, whose hash comes first: the same on every machine, and new names move few others."""
    return frozenset(sorted(names, key=rank)[: max(1, round(share * len(names)))])


def rank(name: str) -> bytes:
    """A name's place in an order that is as good as random, the same on every machine, and that no other changes."""
    return hashlib.sha256(name.encode()).digest()


def last_fifth(count: int, split: str) -> slice:
    """Of so many files in their order the last fifth for the split val, and those before for train."""
    held = count - round(count / 5)
    return slice(held, None) if split == "val" else slice(held)
