"""The scores of a run as people read them, the same after training, evaluation and the comparison of folders."""

import math

from rich.markup import escape
from rich.table import Table

from src.data.description import Description

_BY_CLASS = {"iou/": "IoU of class", "ap/": "AP of class", "box/ap/": "AP of the boxes of class"}
_BY_CLASS |= {"mask/ap/": "AP of the masks of class", "pq/": "PQ of class"}


def table(values: dict[str, float], description: Description) -> Table:
    """Two columns, name and value to four digits: single scores first, then the IoU or AP of each class.

    Args:
        values: plain numbers by name, as `src.metric.suite.flat` gives them. One that is not defined is shown as
            "n/a", a class that is nowhere as "absent".
        description: of the dataset, for the classes and their order.
    """
    rows = Table("score", "value", box=None, pad_edge=False)
    rows.columns[1].justify = "right"
    sections = {
        title: {prefix + name: name for name in description.classes if prefix + name in values}
        for prefix, title in _BY_CLASS.items()
    }
    classes = {key for section in sections.values() for key in section}
    single = [key for key in values if key not in classes]
    for key in single:
        rows.add_row(escape(key), _shown(values[key], "n/a"), end_section=key == single[-1])
    for title, section in sections.items():
        undefined = "absent" if title.startswith("IoU") else "n/a"
        if section:
            rows.add_row(f"[bold]{title}[/bold]", "")
        for key, name in section.items():
            rows.add_row(escape(name), _shown(values[key], undefined))
    return rows


def _shown(value: float, undefined: str) -> str:
    if math.isnan(value):
        return undefined
    return f"{value:,.0f}" if value > 1 and value.is_integer() else f"{value:.4f}"  # a count, or a score
