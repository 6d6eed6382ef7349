"""How the axes of a sweep hang together: which of them say something of their own."""

import math
from collections.abc import Mapping, Sequence

_FEW = 8  # values up to which numbers are taken as a choice of some


def scattered(values: Sequence[str]) -> bool:
    """Whether an axis has many numbers for values, which were drawn and not chosen from a few."""
    return len(set(values)) > _FEW and all(map(_numeric, values))


def following(axes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each axis whose value is known once that of another one is, such as a head that goes with its decoder.

    Of two that decide each other the first leads. Scattered numbers decide everything and mean nothing by it.

    Args:
        axes: the value in each configuration, by axis.
    """
    found: dict[str, str] = {}
    for place, (axis, values) in enumerate(axes.items()):
        for before, (other, deciding) in enumerate(axes.items()):
            if other == axis or other in found or scattered(deciding) or not _decides(deciding, values):
                continue
            if before < place or not _decides(values, deciding):
                found[axis] = other
                break
    return found


def _decides(deciding: Sequence[str], values: Sequence[str]) -> bool:
    return len(set(zip(deciding, values, strict=True))) == len(set(deciding))


def _numeric(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
