"""The figures of a study as bars with error bars, a dot for each seed."""

from pathlib import Path

from src.leaderboard.number import with_spread
from src.leaderboard.study import Study

_INK, _BAR, _DOT = "#1c2430", "#a9c4e4", "#2563a8"


def bars(found: Study, path: Path) -> None:
    """Draw a panel per column, a bar per arm from 0 to its mean, an error bar of one sample standard deviation."""
    import matplotlib  # here: the other reports need not wait for it

    matplotlib.use("Agg")
    from matplotlib import pyplot

    size = (1.6 + 2.7 * len(found.columns), 1.0 + 0.42 * len(found.arms))
    figure, panels = pyplot.subplots(
        1, len(found.columns), figsize=size, layout="constrained", sharey=True, squeeze=False
    )
    for axes, name in zip(panels[0], found.columns, strict=True):
        for place, arm in enumerate(found.arms):
            _bar(axes, place, arm.values(name), arm.mean(name), arm.spread(name))
        axes.set_title(name, fontsize=10)
        axes.margins(x=0.28)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    panels[0][0].set_yticks(range(len(found.arms)), [found.name(arm) for arm in found.arms], fontsize=9)
    panels[0][0].invert_yaxis()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _bar(axes, place: int, values: list[float], mean: float | None, spread: float | None) -> None:
    if mean is None:
        return
    axes.barh(place, mean, height=0.62, color=_BAR)
    if spread is not None:
        axes.errorbar(mean, place, xerr=spread, color=_INK, capsize=3, linewidth=1.2)
    axes.plot(values, [place] * len(values), "o", color=_DOT, markersize=3)
    text = with_spread(mean, spread)
    axes.annotate(text, (max(*values, mean + (spread or 0.0)), place), (5, 0), textcoords="offset points",
                  va="center", fontsize=7.5)  # fmt: skip
