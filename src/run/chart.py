"""Pictures of figures: a confusion matrix, and the curves of a run."""

import csv
from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Num
from torch import Tensor


def confusion(matrix: Num[Tensor, "k columns"], classes: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix (row: target, column: output) as shares of each target class."""
    plt = _pyplot()
    counts = matrix.double().cpu()[:, : len(classes)]  # a column beyond those is for "no answer"
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    side = 2.5 + 0.45 * len(classes)
    figure, axes = plt.subplots(figsize=(side, side), layout="constrained")
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=90)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("output")
    axes.set_ylabel("target")
    if len(classes) <= 30:
        for i, row in enumerate(shares.tolist()):
            for j, share in enumerate(row):
                axes.text(j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color="wk"[share < 0.5])
    axes.set_title("% of each target class")
    _save(figure, path)


def curves(table: Path, path: Path) -> None:
    """Draw the losses and the score of a metrics.csv over its epochs; nothing where no epoch was finished."""
    if not table.exists():
        return
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    plt = _pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for axes, names in ((left, ("train/loss", "val/loss")), (right, ("val/score", "val/accuracy"))):
        for name in names:
            points = [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row.get(name)]
            if points:
                axes.plot(*zip(*points, strict=True), marker="." if len(points) < 40 else None, label=name)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend()
    _save(figure, path)


def _pyplot():
    import matplotlib  # when a picture is drawn, not before

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _save(figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    _pyplot().close(figure)
