"""The downsampling half of a plain encoder-decoder."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.backbone import pooling
from src.model.convolution import convolution
from src.model.interface import Norm, Pool
from src.model.normalize import Normalize


class Plain(nn.Module):
    """At each level 3×3 convolutions with their norm and ReLU, then a max-pooling by 2 whose sizes round up.

    Features are those before each pooling and the last pooled one: at ÷1, 2, 4, 8 and 16 for four widths.

    Args:
        widths: channels of each level, shallow to deep.
        depth: convolutions of each level.
        norm: of each convolution; null for none.

    Raises:
        ValueError: there is no level, or no convolution in it.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 128, 256),
        depth: int = 2,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        in_channels: int,
    ) -> None:
        super().__init__()
        if not widths or depth < 1:
            raise ValueError(f"model.backbone.widths={list(widths)}, depth={depth}: give one width and depth at least")
        layers: list[nn.Module] = []
        for before, width in zip([in_channels, *widths], widths, strict=False):
            layers += [convolution(width if index else before, width, norm) for index in range(depth)]
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        self.normalize = Normalize(in_channels)
        self.stages = pooling.cut(layers)
        self.channels = [*widths, widths[-1]]
        self.reductions = [2**level for level in range(len(self.channels))]

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        return pooling.features(self.stages, self.normalize(image))

    def pooled(self, image: Float[Tensor, "b c h w"]) -> tuple[list[Float[Tensor, "b _ _ _"]], Mapping[int, Pool]]:
        """The features, and what undoes their poolings."""
        return pooling.pooled(self.stages, self.normalize(image), self.reductions)
