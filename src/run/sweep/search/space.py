"""What a search chooses from: ranges of numbers and lists of choices, from YAML and from Hydra's own sweep syntax."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.errors import OverrideParseException
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from src.run.nearest import did_you_mean
from src.run.sweep.command import quoted

_RANGE = ("low", "high", "log", "step")
_FORMS = "a list, {low: 1e-4, high: 1e-1, log: true}, or Hydra's words, such as interval(0,1) or choice(a,b)"
_MOST = 10_000  # combinations of a grid


class Space:
    """Keys of the config and what each may be. Choices are kept as the words that Hydra takes."""

    def __init__(
        self, said: Mapping[str, Any], swept: Sequence[Override], parser: OverridesParser, fixed: Set[str] = frozenset()
    ) -> None:
        """Read it.

        Args:
            said: by key, of the YAML; {optimizer: {lr: ...}} is {optimizer.lr: ...}.
            swept: those of the command line that list several values; they count more.
            parser: of Hydra's words.
            fixed: keys that are not searched after all.

        Raises:
            ValueError: something of it is no range and no choice, with what would be.
        """
        own = {override.get_key_element(): override for override in swept}
        found = {key: _of_yaml(key, value, parser) for key, value in _flat(said) if key not in {*own, *fixed}}
        self.distributions: dict[str, BaseDistribution] = {
            **found,
            **{key: _of_hydra(override) for key, override in own.items()},
        }

    def words(self, values: Mapping[str, Any]) -> list[str]:
        """A choice as overrides."""
        return [f"{key}={values[key]!r}" if _number(d) else f"{key}={values[key]}" for key, d in self._items()]

    def short(self, values: Mapping[str, Any]) -> list[str]:
        """The same with three digits, for names."""
        return [f"{key}={values[key]:.3g}" if _number(d) else f"{key}={values[key]}" for key, d in self._items()]

    def edges(self) -> Iterator[dict[str, Any]]:
        """What every choice and the ends of every range do beside the first of all others."""
        ends = {key: [d.low, d.high] if _number(d) else d.choices for key, d in self._items()}
        first = {key: values[0] for key, values in ends.items()}
        yield first
        for key, values in ends.items():
            yield from ({**first, key: value} for value in values[1:] if value != first[key])

    def grid(self) -> list[dict[str, Any]]:
        """All combinations.

        Raises:
            ValueError: there is no end of them.
        """
        values = [list(_values(key, distribution)) for key, distribution in self._items()]
        found = itertools.islice(itertools.product(*values), _MOST + 1)
        combinations = [dict(zip(self.distributions, each, strict=True)) for each in found]
        if len(combinations) > _MOST:
            raise ValueError(f"sweep.sampler=grid: sweep.space has more than {_MOST} combinations; random takes some")
        return combinations

    def _items(self) -> Iterable[tuple[str, Any]]:
        return self.distributions.items()


def text(value: Any) -> str:
    """A value of a YAML file as a word that Hydra takes."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return value if re.fullmatch(r"[A-Za-z_][\w./-]*", value) and value != "null" else quoted(value)
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{text(item)}' for key, item in value.items())}}}"
    return f"[{','.join(map(text, value))}]" if isinstance(value, Sequence) else repr(value)


def _flat(said: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in said.items():
        if isinstance(value, Mapping) and value and not value.keys() & {*_RANGE}:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _number(distribution: BaseDistribution) -> bool:
    return not isinstance(distribution, CategoricalDistribution)


def _of_yaml(key: str, value: Any, parser: OverridesParser) -> BaseDistribution:
    place = f"sweep.space.{key}={value}"
    if isinstance(value, Mapping):
        return _range(place, value)
    if isinstance(value, str):
        try:
            (override,) = parser.parse_overrides([f"{key}={value}"])
        except OverrideParseException as error:
            raise ValueError(f"{place}: is not understood; say {_FORMS}") from error
        if override.is_sweep_override():
            return _of_hydra(override)
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ValueError(f"{place}: one value leaves nothing to choose; say {_FORMS}")
    return CategoricalDistribution([text(item) for item in value])


def _range(place: str, said: Mapping[str, Any]) -> BaseDistribution:
    for word in said:
        if word not in _RANGE:
            raise ValueError(f"{place}: a range has {', '.join(_RANGE)}, no {word!r}{did_you_mean(word, _RANGE)}")
    if "low" not in said or "high" not in said:
        raise ValueError(f"{place}: a range needs low and high")
    return _made(place, said["low"], said["high"], said.get("step"), bool(said.get("log")))


def _of_hydra(override: Override) -> BaseDistribution:
    value, place = override.value(), str(override.input_line)
    log = "log" in getattr(value, "tags", ())
    if isinstance(value, IntervalSweep):
        return _made(place, value.start, value.end, None, log)
    words = list(override.sweep_string_iterator())
    if not words:
        raise ValueError(f"{place}: there is nothing to choose from")
    if isinstance(value, RangeSweep):
        whole = all(isinstance(number, int) for number in (value.start, value.stop, value.step))
        numbers = sorted(int(word) if whole else float(word) for word in words)
        return _made(place, numbers[0], numbers[-1], None if log and abs(value.step) == 1 else abs(value.step), log)
    return CategoricalDistribution(words)


def _made(place: str, low: Any, high: Any, step: Any, log: bool) -> BaseDistribution:
    """A range with its ends; whole numbers where all of it are."""
    given = [number for number in (low, high, step) if number is not None]
    if any(isinstance(number, bool) or not isinstance(number, int | float) for number in given):
        raise ValueError(f"{place}: low, high and step are numbers")
    if low > high:
        raise ValueError(f"{place}: low is more than high; the smaller number comes first")
    if log and (low <= 0 or step):
        raise ValueError(f"{place}: a logarithmic range begins above 0 and has no step")
    if step is not None and step <= 0:
        raise ValueError(f"{place}: a step is more than 0")
    if all(isinstance(number, int) for number in given):
        return IntDistribution(low, high, log, step or 1)
    return FloatDistribution(low, high, log, step)


def _values(key: str, distribution: Any) -> Iterator[Any]:
    if isinstance(distribution, CategoricalDistribution):
        yield from distribution.choices
    elif distribution.log or distribution.step is None:
        raise ValueError(f"sweep.sampler=grid: {key} is a range without a step; give it a step, or list its values")
    else:
        count = int((distribution.high - distribution.low) / distribution.step + 1e-9) + 1
        yield from (distribution.low + index * distribution.step for index in range(count))
