"""One feature of the backbone as it is, as VGG16's last convolution serves Faster R-CNN (Ren et al., 2015)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Backbone, listed


class Single(nn.Module):
    """Proposals and regions come of one feature; what the backbone has beyond it is cut off.

    Args:
        reduction: of the feature.

    Raises:
        ValueError: the backbone has no such feature.
    """

    def __init__(self, reduction: int = 16, *, backbone: Backbone) -> None:
        super().__init__()
        if reduction not in backbone.reductions:
            raise ValueError(
                f"model.neck.reduction={reduction}: this backbone gives {listed(backbone.reductions)}; take one of them"
            )
        depth = list(backbone.reductions).index(reduction) + 1
        self.index = depth - 1
        self.channels = self.out_channels = backbone.channels[self.index]
        self.reductions, self.levels = [reduction], 1
        self.stage, self.stride = nn.Identity(), 1
        if hasattr(backbone, "stages"):
            del backbone.stages[depth:]
            backbone.channels, backbone.reductions = backbone.channels[:depth], backbone.reductions[:depth]

    def forward(self, features: list[Tensor]) -> dict[str, Float[Tensor, "b c _ _"]]:
        """The backbone's features -> the one."""
        return {"0": features[self.index]}
