"""What an examination found of depth and normals."""

import statistics
from collections.abc import Sequence

from src.run.diagnosis.measure import Measure
from src.run.diagnosis.names import named

_SCENE = (0.1, 200.0)  # metres: a median depth below or above is rather in another unit


def metres(measures: Sequence[Measure]) -> dict[str, float] | None:
    """The nearest and the farthest depth, and the median of the samples' medians; None where there is no depth."""
    found = [measure.depth for measure in measures if measure.depth]
    if not found:
        return None
    nearest, middle, farthest = zip(*found, strict=True)
    return {"min": min(nearest), "median": statistics.median(middle), "max": max(farthest)}


def remarks(split: str, measures: Sequence[Measure]) -> list[str]:
    """Depth that is hardly in metres, fields that are nowhere known, and normals that are not unit."""
    said, found = [], metres(measures)
    if found and not _SCENE[0] <= found["median"] <= _SCENE[1]:
        far = found["median"] > _SCENE[1]
        rather = "are these millimetres, or the steps of a file" if far else "were they divided twice"
        unit = "data.depth_scale says how many units are a metre"
        said.append(f"{split}: the median depth is {found['median']:g} metres: {rather}? {unit}")
    for field in ("depth", "normals"):
        blank = [measure.name for measure in measures if measure.unknown.get(field) == 1]
        if blank:
            said.append(f"{split}: {field} is unknown everywhere in {named(blank)}")
    off = [measure.name for measure in measures if measure.off > 0]
    if off:
        said.append(f"{split}: some normals are not of length 1 in {named(off)}")
    return said
