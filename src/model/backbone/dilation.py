"""Strides traded for dilation: the same network, its deep features computed at more places (Chen et al., 2018)."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)


def check(output_stride: int) -> None:
    """Raises ValueError for a reduction at which no stage of the usual classifiers begins."""
    if output_stride not in STRIDES:
        raise ValueError(f"model.backbone.output_stride={output_stride} is none of 8, 16 and 32, which stages end at")


def dilate(layers: Iterable[nn.Module], output_stride: int) -> None:
    """Stop shrinking at `output_stride`: each later stride of 2 becomes 1, and what follows it reaches twice as far.

    Every cell that the network had before keeps its value; new ones stand between them. So pretrained weights fit.
    (Where it pools over the whole map, as in squeeze and excitation, these new cells count, too.)

    Args:
        layers: of the whole network in their order, of which none shrinks the map more than once; changed in place.
        output_stride: the largest reduction that is left: 8, 16 or 32.
    """
    reduction = dilation = 1
    for layer in layers:
        convs = [part for part in layer.modules() if isinstance(part, nn.Conv2d)]
        if not any(getattr(part, "stride", 1) in (2, (2, 2)) for part in layer.modules()):
            _widen(convs, dilation, dilation)
        elif reduction < output_stride:
            reduction *= 2
        else:
            _widen(convs, dilation, 2 * dilation)
            dilation *= 2


class DensePool(nn.Module):
    """The 2×2 maximum at every cell instead of every second, over values `dilation` cells apart; the size stays."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation

    def forward(self, x: Tensor) -> Tensor:
        beyond = F.pad(x, (0, self.dilation, 0, self.dilation), value=float("-inf"))
        return F.max_pool2d(beyond, kernel_size=2, stride=1, dilation=self.dilation)


def _widen(convs: Iterable[nn.Conv2d], before: int, after: int) -> None:
    """Dilate by `before` up to the convolution with a stride, itself included, and by `after` behind it."""
    dilation = before
    for conv in convs:
        if conv.kernel_size != (1, 1):  # for which it means nothing, but another, slower kernel
            conv.dilation = (dilation, dilation)
            conv.padding = tuple(dilation * (size // 2) for size in conv.kernel_size)
        if conv.stride == (2, 2):
            conv.stride = (1, 1)
            dilation = after
