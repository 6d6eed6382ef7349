"""Running the stages of a backbone that pools, with or without a note of where its maxima stood."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


def features(stages: Iterable[nn.Sequential], x: Tensor) -> list[Tensor]:
    """What each stage gives, one after another."""
    found = []
    for stage in stages:
        x = stage(x)
        found.append(x)
    return found


def pooled(
    stages: Iterable[nn.Sequential], x: Tensor, reductions: Sequence[int]
) -> tuple[list[Tensor], dict[int, Pool]]:
    """The same, and the pools by the reduction before them.

    Args:
        stages: of one feature each; a max-pooling stands first in its stage.
        reductions: of the features.
    """
    found: list[Tensor] = []
    pools = {}
    for stage, before in zip(stages, [1, *reductions], strict=False):
        first = stage[0]
        if isinstance(first, nn.MaxPool2d):
            size = (x.shape[-2], x.shape[-1])
            x, indices = F.max_pool2d(
                x, first.kernel_size, first.stride, first.padding, ceil_mode=first.ceil_mode, return_indices=True
            )
            pools[before] = Pool(indices, size)
            stage = stage[1:]
        x = stage(x)
        found.append(x)
    return found, pools
