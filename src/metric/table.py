"""The scores of a run as people read them, the same after training, evaluation and the comparison of folders."""

import math

from rich.markup import escape
from rich.table import Table

from src.data.description import Description


def table(values: dict[str, float], description: Description) -> Table:
    """Two columns, name and value to four digits: single scores first, then the IoU of each class.

    Args:
        values: plain numbers by name, as `src.metric.suite.flat` gives them; a class without one is shown as "absent".
        description: of the dataset, for the classes and their order.
    """
    rows = Table("score", "value", box=None, pad_edge=False)
    rows.columns[1].justify = "right"
    classes = {f"iou/{name}": name for name in description.classes}
    single = [key for key in values if key not in classes]
    for key in single:
        rows.add_row(escape(key), f"{values[key]:.4f}", end_section=key == single[-1])
    known = [key for key in classes if key in values]
    if known:
        rows.add_row("[bold]IoU of class[/bold]", "")
    for key in known:
        rows.add_row(escape(classes[key]), "absent" if math.isnan(values[key]) else f"{values[key]:.4f}")
    return rows
