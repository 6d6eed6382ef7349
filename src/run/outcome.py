"""What a run came to, as its loggers take it: figures, a table of classes, confusions, checkpoints."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Num
from PIL import Image
from torch import Tensor

from src.logger.interface import Outcome, Table


def outcome(
    folder: Path,
    facts: dict[str, Any],
    step: int,
    classes: Sequence[str],
    confusions: dict[str, Num[Tensor, "k columns"]],
) -> Outcome:
    """Everything below `best/<split>/`.

    Args:
        folder: of the run; the picture of a confusion matrix is in it, and the checkpoints.
        facts: of results.json, `val` and `test` among them.
        step: of the optimizer, the last.
        classes: names by index.
        confusions: by split; pictures/confusion.png is of the last one.
    """
    scores = {split: facts[split] for split in ("val", "test") if facts.get(split)}
    figures = {f"best/{split}/{name}": value for split, found in scores.items() for name, value in found.items()}
    tables = {f"best/{split}/classes": by_class(found, classes) for split, found in scores.items()}
    picture = folder / "pictures" / "confusion.png"
    shown = [f"best/{split}/confusion" for split in confusions][-1:] if picture.is_file() else []
    checkpoints = {name: folder / "checkpoints" / f"{name}.ckpt" for name in ("best", "last")}
    return Outcome(
        figures,
        facts,
        step,
        {key: table for key, table in tables.items() if table.rows},
        {f"best/{split}/confusion": pairs(matrix, classes) for split, matrix in confusions.items()},
        {key: Image.open(picture) for key in shown},
        {name: path for name, path in checkpoints.items() if path.is_file()},
    )


def by_class(scores: dict[str, float], classes: Sequence[str]) -> Table:
    """A row per class that has a score, a column per score that is given by class: iou, mask/ap ...; None where it is
    not defined."""
    split = {key: key.rpartition("/") for key in scores}
    kinds = list(dict.fromkeys(kind for kind, _, name in split.values() if kind and name in classes))
    named = [name for name in classes if any(f"{kind}/{name}" in scores for kind in kinds)]
    rows = [(name, *(_defined(scores.get(f"{kind}/{name}")) for kind in kinds)) for name in named]
    return Table(("class", *kinds), tuple(rows))


def pairs(matrix: Num[Tensor, "k columns"], classes: Sequence[str]) -> Table:
    """Every pair of classes that occurs, target and output, with the number of pixels; a column beyond the classes is
    for pixels without an answer."""
    outputs = [*classes, "no answer"]
    counts = [
        (target, outputs[column], int(count))
        for target, row in zip(classes, matrix.tolist(), strict=True)
        for column, count in enumerate(row)
        if count
    ]
    return Table(("target", "output", "pixels"), tuple(counts))


def _defined(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
