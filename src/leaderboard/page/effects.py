"""What each axis does on average, drawn on one scale, and how sure that is."""

from html import escape

from src.leaderboard.number import number
from src.leaderboard.page.drawing import Scale, columns, scale, short, svg
from src.leaderboard.page.markup import cell, fold, row, table
from src.leaderboard.statistic.comparison import Comparison, flips
from src.leaderboard.statistic.effect import Effect, Level

_ROW, _HEAD, _TOP, _LABEL, _WIDTH, _VALUE = 22, 34, 30, 260, 440, 150  # pixels


def effects(found: list[Effect], metric: str) -> str:
    """The drawing, what is to be said of its balance, and the levels in numbers."""
    if len(found) < 2:  # of a single axis the table itself is the effect
        return ""
    ends = [
        level.mean + side * (level.half_width or 0.0) for effect in found for level in effect.levels for side in (-1, 1)
    ]
    x = scale(ends, _LABEL, _LABEL + _WIDTH)
    height = _TOP + sum(_HEAD + _ROW * len(effect.levels) for effect in found)
    drawn, y = [columns(x, _TOP - 6, height)], float(_TOP)
    for effect in found:
        drawn.append(_block(effect, x, y))
        y += _HEAD + _ROW * len(effect.levels)
    notes = "".join(f"<li><b>{escape(effect.axis)}</b>: {escape(_note(effect))}</li>" for effect in found)
    numbers = fold("Levels in pairs, with tests", _table(found))
    return f"{svg(_LABEL + _WIDTH + _VALUE, height, f'{metric} by axis', drawn)}<ul class='notes'>{notes}</ul>{numbers}"


def cells(one: Comparison) -> list[str]:
    """Difference, interval, pairs, both tests and the verdict, as cells of a table."""
    half, mean = one.half_width, one.mean
    ends = (
        "-" if half is None or mean is None else f"{number(mean - half, like=mean)} to {number(mean + half, like=mean)}"
    )
    exact = flips(one.differences)
    return [
        cell("-" if mean is None else signed(mean, mean), "number", "" if mean is None else mean),
        cell(ends, "number soft"),
        cell(str(len(one.differences)), "number"),
        cell(_p(one.p), "number", "" if one.p is None else one.p),
        cell(
            "-" if exact is None else f"{_p(exact)} (≥ {_p(one.least)})", "number soft", "" if exact is None else exact
        ),
        cell(one.verdict, "number verdict" if one.verdict == "told apart" else "number soft"),
    ]


TOLD = ["difference", "95 %", "pairs", "p (t, Holm)", "p (sign flips, ≥ its least)", "verdict"]


def signed(difference: float, like: float) -> str:
    """A difference with its sign, in the digits that go with `like`."""
    return f"{'−' if difference < 0 else '+'}{number(abs(difference), like=like)}"


def _block(effect: Effect, x: Scale, y: float) -> str:
    head = f'<text class="axis" x="{_LABEL - 10}" y="{y + _HEAD - 10}">{short(effect.axis)}</text>'
    best = effect.levels[0].mean
    return head + "".join(_level(level, best, x, y + _HEAD + _ROW * (n + 0.5)) for n, level in enumerate(effect.levels))


def _level(level: Level, best: float, x: Scale, y: float) -> str:
    half = level.half_width
    line = "" if half is None else f'<path class="whisker" d="{_bar(level.mean, half, x, y)}"/>'
    text = number(level.mean) + ("" if level.mean == best else f" ({signed(level.mean - best, level.mean)})")
    width = "" if half is None else f", ± {number(half, like=level.mean)} at 95 %"
    return (
        f"<g><title>{escape(f'{level.value}: {number(level.mean)}{width}, {level.runs} runs')}</title>"
        f'<text class="name" x="{_LABEL - 10}" y="{y + 4}">{short(level.value)}</text>{line}'
        f'<circle class="level" cx="{x(level.mean)}" cy="{y}" r="4"/>'
        f'<text class="value" x="{_LABEL + _WIDTH + 10}" y="{y + 4}">{text}</text></g>'
    )


def _bar(mean: float, half: float, x: Scale, y: float) -> str:
    low, high = x(mean - half), x(mean + half)
    return f"M{low} {y}H{high}M{low} {y - 4}V{y + 4}M{high} {y - 4}V{y + 4}"


def _note(effect: Effect) -> str:
    if not effect.balanced:
        return "not balanced: no choice of the other axes was run with two of its values, so these are plain means"
    left = f"; left out, as it is missing there: {', '.join(effect.left)}" if effect.left else ""
    if effect.contexts == effect.of:
        return f"balanced over {effect.of} {'choice' if effect.of == 1 else 'choices'} of the other axes{left}"
    return f"not balanced: over the {effect.contexts} of {effect.of} choices of the other axes that have all{left}"


def _table(found: list[Effect]) -> str:
    rows = [
        row([cell(effect.axis), cell(effect.levels[0].value), cell(level.value), *cells(level.behind)])
        for effect in found
        for level in effect.levels
        if level.behind
    ]
    return table(["axis", "best", "against", *TOLD], rows, "sortable", 3)


def _p(value: float | None) -> str:
    return "-" if value is None else "< .0001" if value < 0.0001 else f"{value:.4f}"
