"""Parameter counts that follow from the papers' own layer tables, to hold ours against."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Published:
    """The trainable parameters of one model; fixed kernels are none."""

    model: str  # of conf/model
    num_classes: int
    channels: int
    params: int
    source: str


@cache
def published() -> tuple[Published, ...]:
    """All that are known."""
    with _FILE.open(newline="", encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Published(row["model"], int(row["num_classes"]), int(row["channels"]), int(row["params"]), row["source"])
        for row in rows
    )
