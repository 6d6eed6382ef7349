"""A run's metrics.csv, a figure at a time."""

import csv
import math
from pathlib import Path


def column(table: Path, name: str) -> dict[int, float]:
    """A column of a metrics.csv by epoch, from 0 as in the file; without what is empty or not finite."""
    if not table.is_file():
        return {}
    with table.open(newline="", encoding="utf8") as stream:
        rows = csv.reader(stream)
        header = next(rows, [])
        if name not in header or "epoch" not in header:
            return {}
        place, epoch = header.index(name), header.index("epoch")
        last = max(place, epoch)  # a row that is being written right now may end before it
        said = [(int(row[epoch]), row[place]) for row in rows if len(row) > last and row[place] and row[epoch]]
    return {epoch: float(text) for epoch, text in said if math.isfinite(float(text))}
