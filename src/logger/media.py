"""What W&B shows beside curves: images whose masks and boxes can be switched on and off, tables, confusions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from src.data.description import UNKNOWN
from src.data.sample import Instances
from src.logger.interface import Look, Table


def image(look: Look, classes: Sequence[str]) -> Any:
    """A `wandb.Image` of one look.

    Args:
        look: maps become masks, objects boxes with class and score.
        classes: names by index.
    """
    import wandb

    names = {**dict(enumerate(classes)), UNKNOWN: "unknown"}
    masks = {title: _mask(values, names) for title, values in look.maps.items()}
    boxes = {title: _boxes(objects, names) for title, objects in look.objects.items()}
    pixels = look.image.permute(1, 2, 0).cpu().numpy()
    return wandb.Image(pixels, caption=look.name, masks=masks or None, boxes=boxes or None)


def table(rows: Table) -> Any:
    """A `wandb.Table`."""
    import wandb

    return wandb.Table(columns=list(rows.columns), data=[list(row) for row in rows.rows])


def matrix(counts: Table) -> Any:
    """W&B's own chart of a confusion matrix, with its table: a row is target, output and how often."""
    import wandb

    fields = dict(zip(("Actual", "Predicted", "nPredictions"), counts.columns, strict=True))
    return wandb.plot_table("wandb/confusion_matrix/v1", table(counts), fields, {"title": "confusion of classes"})


def _mask(values: Any, names: dict[int, str]) -> dict[str, Any]:
    return {"mask_data": values.cpu().numpy().astype(np.uint8), "class_labels": names}


def _boxes(objects: Instances, names: dict[int, str]) -> dict[str, Any]:
    scores = [None] * len(objects) if objects.scores is None else objects.scores.tolist()
    found = zip(objects.boxes.tolist(), objects.labels.tolist(), scores, strict=True)
    return {"box_data": [_box(*one, names) for one in found], "class_labels": names}


def _box(edges: list[float], label: int, score: float | None, names: dict[int, str]) -> dict[str, Any]:
    position = dict(zip(("minX", "minY", "maxX", "maxY"), edges, strict=True))
    said = {} if score is None else {"scores": {"score": score}}
    caption = names[label] if score is None else f"{names[label]} {score:.2f}"
    return {"position": position, "domain": "pixel", "class_id": label, "box_caption": caption, **said}
