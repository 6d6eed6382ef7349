"""What the parts of a dense model ask of one another. Nobody inherits from these."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from src.data.sample import Instances

Norm = Callable[[int], nn.Module]  # channels -> their normalisation


def listed(reductions: Sequence[int]) -> str:
    """Reductions in words, for errors: ÷2, ÷4, ÷8."""
    return ", ".join(f"÷{reduction}" for reduction in reductions)


class Pool(NamedTuple):
    """What a max-pooling by two leaves for its undoing."""

    indices: Tensor  # [b c i j], int64: where in its flattened map each maximum stood
    size: tuple[int, int]  # of the map that was pooled


Pools = Mapping[int, Pool]  # by the reduction of the map that was pooled: the one that unpooling leads back to


@runtime_checkable
class Backbone(Protocol):
    """image [b c h w] in [0, 1] -> features, shallow to deep. Normalises the image itself.

    Built as `backbone(in_channels=c)`. An image of any size goes in; feature i has the size of the image divided by
    `reductions[i]`, rounded up, and its cell (0, 0) lies at the image's top left.

    One that shrinks its maps by max-pooling has `pooled(image) -> (features, Pools)` as well.
    """

    channels: Sequence[int]  # of each feature
    reductions: Sequence[int]  # image size / feature size, published, never assumed

    def __call__(self, image: Tensor) -> list[Tensor]: ...


@runtime_checkable
class Decoder(Protocol):
    """Features, shallow to deep -> one map [b channels h/reduction w/reduction].

    Built as `decoder(channels=..., reductions=..., out_channels=k, upsample=...)`: k is what the head will be asked
    for, of use to decoders that fuse in score space (FCN); `upsample` builds an `Upsample`. Where sizes were rounded
    up, the map may reach beyond the image at its bottom and right; the model cuts that off. On the way to a reduction
    r it hands `pools.get(r)` to its upsampling step, and needs to know nothing else of pools.
    """

    channels: int
    reduction: int

    def __call__(self, features: list[Tensor], pools: Pools) -> Tensor: ...


@runtime_checkable
class Upsample(Protocol):
    """[b c h w] -> [b c size], learnable or not. Built as `upsample(channels=c, scale=s)`.

    The map is enlarged exactly s times and cut to `size` at its bottom and right, never stretched, so that levels stay
    aligned at odd sizes: `size` is at most s times the map's own. `pool` is the pooling that led from a map of `size`
    to one like x, where the backbone has it; who cannot do without it says `unpools = True`.
    """

    def __call__(self, x: Tensor, size: tuple[int, int], pool: Pool | None = None) -> Tensor: ...


@runtime_checkable
class Detector(Protocol):
    """Images of any sizes -> what its loss is made of, or objects. Built as `detector(in_channels=, out_channels=n)`.

    In training it is given targets, whose labels count the n classes from 0, and returns its raw terms by name: each a
    scalar, or what a loss is computed from (logits and targets of the masks). In evaluation it returns, for each image,
    objects with scores, the best first, in pixels of `sizes` (the images' own where none are given).
    """

    masks: bool  # whether objects have masks

    def __call__(
        self,
        images: Sequence[Tensor],
        targets: Sequence[Instances] | None = None,
        sizes: Sequence[tuple[int, int]] | None = None,
    ) -> Mapping[str, object] | list[Instances]: ...
