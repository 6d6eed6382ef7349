"""FC-DenseNet, the hundred-layer Tiramisu: dense blocks down and up again (Jégou et al., 2017)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint as recomputed

from src.model.normalize import Normalize


class FcDensenet(nn.Module):
    """Every layer of a block reads all before it in the block; on the way up only a block's new features are enlarged.

    It normalises the image itself. As published, poolings drop an odd last row or column, and what is enlarged is cut
    at its centre to its skip: it has one row too many at most, so that is its last. An image smaller than the poolings'
    product is extended by its last row and column.

    Args:
        first: channels of the first convolution.
        growth: channels that a layer adds.
        layers: of each block, down, at the bottom and up; as many up as down.
        dropout: share dropped after each convolution of the blocks and on the way down.
        checkpoint: whether layers are computed again on the way back instead of kept: a second forward pass, and memory
            that grows with the depth of a block instead of its square.

    Raises:
        ValueError: `layers` has an even number of entries: no block stands at the bottom.
    """

    def __init__(
        self,
        first: int = 48,
        growth: int = 16,
        layers: Sequence[int] = (4, 5, 7, 10, 12, 15, 12, 10, 7, 5, 4),
        dropout: float = 0.2,
        checkpoint: bool = False,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        if len(layers) % 2 == 0:
            raise ValueError(
                f"model.layers has {len(layers)} entries, and the network needs an odd number: as many blocks up as "
                "down, and one between them"
            )
        poolings = len(layers) // 2
        self.smallest = 2**poolings
        self.normalize = Normalize(in_channels)
        self.first = nn.Conv2d(in_channels, first, kernel_size=3, padding=1)
        self.down, self.shrink, self.enlarge, self.up = (nn.ModuleList() for _ in range(4))
        channels, skips = first, []
        for depth in layers[:poolings]:
            self.down.append(_Block(channels, growth, depth, dropout, checkpoint))
            channels += growth * depth
            skips.append(channels)
            self.shrink.append(_shrink(channels, dropout))
        self.bottom = _Block(channels, growth, layers[poolings], dropout, checkpoint)
        for below, depth in zip(layers[poolings:], layers[poolings + 1 :], strict=False):
            new = growth * below
            self.enlarge.append(nn.ConvTranspose2d(new, new, kernel_size=3, stride=2))
            channels = new + skips.pop()
            self.up.append(_Block(channels, growth, depth, dropout, checkpoint))
        self.head = nn.Conv2d(channels + growth * layers[-1], out_channels, kernel_size=1)
        self.apply(_initialize)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        height, width = image.shape[-2:]
        missing = (0, max(0, self.smallest - width), 0, max(0, self.smallest - height))
        x = F.pad(image, missing, mode="replicate") if any(missing) else image
        x, skips = self.first(self.normalize(x)), []
        for block, shrink in zip(self.down, self.shrink, strict=True):
            x = torch.cat([x, block(x)], dim=1)
            skips.append(x)
            x = shrink(x)
        new = self.bottom(x)
        for enlarge, block in zip(self.enlarge, self.up, strict=True):
            skip = skips.pop()
            x = torch.cat([enlarge(new)[..., : skip.shape[-2], : skip.shape[-1]], skip], dim=1)
            new = block(x)
        return self.head(torch.cat([x, new], dim=1))[..., :height, :width]


class _Block(nn.ModuleList):
    """x -> the new features alone, all layers' beside each other."""

    def __init__(self, channels: int, growth: int, depth: int, dropout: float, checkpoint: bool) -> None:
        super().__init__(_layer(channels + growth * index, growth, 3, dropout) for index in range(depth))
        self.checkpoint = checkpoint

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self:
            features.append(self._applied(layer, features))
        return torch.cat(features[1:], dim=1)

    def _applied(self, layer: nn.Sequential, features: list[Tensor]) -> Tensor:
        def joined(*parts: Tensor) -> Tensor:
            return layer(torch.cat(parts, dim=1))

        if not (self.checkpoint and torch.is_grad_enabled()):
            return joined(*features)
        return recomputed(joined, *features, use_reentrant=False, context_fn=_once(layer[0]))


def _layer(in_channels: int, out_channels: int, kernel: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2),
        nn.Dropout(dropout),
    )


def _shrink(channels: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(_layer(channels, channels, 1, dropout), nn.MaxPool2d(2))


def _once(norm: nn.BatchNorm2d) -> Callable[[], tuple[AbstractContextManager, AbstractContextManager]]:
    """The first pass as it is; the second one must not count in the running statistics again."""

    @contextmanager
    def untracked() -> Iterator[None]:
        momentum, count = norm.momentum, norm.num_batches_tracked
        norm.momentum, norm.num_batches_tracked = 0.0, None
        try:
            yield
        finally:
            norm.momentum, norm.num_batches_tracked = momentum, count

    return lambda: (nullcontext(), untracked())


def _initialize(layer: nn.Module) -> None:
    """Uniform for ReLU (He et al., 2015), as the authors' code has it, the last layer included."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
