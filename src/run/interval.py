"""What an argument may be: an interval, a choice of words, or whatever a function says.

An interval is written as in mathematics, `[0, 1)`, and holds for each number of a list or mapping; `pair` asks for two
of them, `ordered` for the smaller one first. A tuple lists all that may be said, words and intervals alike.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Limit = str | tuple[Any, ...] | Callable[[Any], str | None]


def problem(value: Any, limit: Limit) -> str | None:
    """What would have been right, if `value` is not within the limit."""
    if callable(limit):
        return limit(value)
    if isinstance(limit, str):
        return _outside(value, limit)
    intervals, words = _parted(limit)
    if any(type(value) is type(word) and value == word for word in words):
        return None
    if _is_number(value) and any(_outside(value, interval) is None for interval in intervals):
        return None
    return " or ".join([*map(_said, intervals), listed(words)])


def allows(value: Any, limit: tuple[Any, ...]) -> bool:
    """Whether the value is one of the words of a limit, or is none where only words count."""
    intervals, words = _parted(limit)
    return not intervals or any(type(value) is type(word) and value == word for word in words)


def _parted(limit: tuple[Any, ...]) -> tuple[list[str], list[Any]]:
    intervals = [item for item in limit if isinstance(item, str) and item[0] in "[("]
    return intervals, [item for item in limit if item not in intervals]


def not_finite(value: Any) -> bool:
    """Whether there is a NaN among the numbers of a value: it is never meant."""
    return any(isinstance(number, float) and math.isnan(number) for number in _numbers(value))


def _outside(value: Any, limit: str) -> str | None:
    interval, *kinds = re.findall(r"[\[(].*[\])]|\w+", limit)
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    numbers = list(_numbers(value))
    wrong = [x for x in numbers if x < low or x > high or (x == low and interval[0] == "(")]
    wrong += [x for x in numbers if x == high and interval[-1] == ")"]
    if "pair" in kinds and isinstance(value, Sequence) and len(value) != 2:
        return f"a list of two, each {_said(limit)}"
    if "ordered" in kinds and not wrong and numbers != sorted(numbers):
        return "the smaller number first"
    return _said(limit) if wrong else None


def _said(limit: str) -> str:
    interval = re.match(r"[\[(].*[\])]", limit)[0]
    low, high = (bound.strip() for bound in interval[1:-1].split(","))
    begin = low if interval[0] == "[" else f"more than {low}"
    if high == "inf":
        return f"at least {low}" if interval[0] == "[" else begin
    return f"a number from {begin} to {high}" + (" (excluded)" if interval[-1] == ")" else "")


def _numbers(value: Any) -> list[int | float]:
    if isinstance(value, Mapping):
        return [] if "_target_" in value else [x for item in value.values() for x in _numbers(item)]
    if isinstance(value, list | tuple):
        return [x for item in value for x in _numbers(item)]
    return [value] if _is_number(value) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(words: Sequence[Any]) -> str:
    """The words of a limit as a user says them."""
    said = ", ".join("null" if word is None else str(word).lower() for word in words)
    return f"one of {said}" if len(words) > 1 else said
