"""The table as it is printed."""

from rich.console import Console

from src.data.description import Description
from src.metric.table import table


def test_single_scores_first_then_classes_in_their_order() -> None:
    description = Description(("mask",), ("[road]", "car", "sky"), ((0, 0, 0),) * 3)
    values = {"score": 0.5, "iou/car": 0.25, "iou/[road]": 0.75, "iou/sky": float("nan"), "loss": 1.23456}
    values["pixels"] = 12345.0
    console = Console(width=40)
    with console.capture() as capture:
        console.print(table(values, description))
    rows = [line.split() for line in capture.get().splitlines() if line.strip()]
    assert rows == [
        ["score", "value"],
        ["score", "0.5000"],
        ["loss", "1.2346"],
        ["pixels", "12,345"],
        ["IoU", "of", "class"],
        ["[road]", "0.7500"],
        ["car", "0.2500"],
        ["sky", "absent"],
    ]
