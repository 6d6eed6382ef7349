"""Which level of a pyramid a region is cut from (Lin et al., 2017, equation 1)."""

from collections.abc import Callable, Mapping, Sequence
from math import log2

from jaxtyping import Float
from torch import Tensor
from torchvision.ops.poolers import LevelMapper, _convert_to_roi_format

LEVEL = 4  # at ÷16, where a box of the canonical side is cut from


def pooled(
    operator: Callable[[Tensor, Tensor, float], Tensor],
    features: Mapping[str, Float[Tensor, "b c _ _"]],
    boxes: Sequence[Float[Tensor, "_ 4"]],
    reductions: Sequence[int],
    canonical: int,
) -> Float[Tensor, "n c s s"]:
    """Cells of every box, those of the first image first.

    As `torchvision.ops.MultiScaleRoIAlign`, with any operator, and with reductions that are known, where it guesses
    them from the first image that it sees.

    Args:
        operator: `operator(map, rois, scale)`, where a roi is an index into the batch and a box in pixels.
        features: levels, shallow to deep; those beyond `reductions` are for proposals alone.
        boxes: of each image, in pixels of it.
        reductions: of the levels, each twice the one before.
        canonical: side of a box, in pixels, that is cut from the level at ÷16.
    """
    maps = [feature.float() for feature in list(features.values())[: len(reductions)]]  # no operator knows bf16
    rois = _convert_to_roi_format([box.float() for box in boxes])
    if len(maps) == 1:
        return operator(maps[0], rois, 1 / reductions[0])
    mapper = LevelMapper(int(log2(reductions[0])), int(log2(reductions[-1])), canonical, LEVEL)
    levels, cells = mapper(boxes), None
    for level, (feature, reduction) in enumerate(zip(maps, reductions, strict=True)):
        here = (levels == level).nonzero()[:, 0]
        found = operator(feature, rois[here], 1 / reduction)
        cells = found.new_zeros(len(rois), *found.shape[1:]) if cells is None else cells
        cells[here] = found
    return cells
