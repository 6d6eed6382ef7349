"""The map of a ResNet's fourth stage, and its fifth for each region (Ren et al., 2015; He et al., 2016)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Backbone, listed


class C4(nn.Module):
    """Regions are cut from one feature, and what the backbone has beyond it sees each of them by itself.

    Those deeper stages leave the backbone and become `stage`, shared by the box and the mask branch; their strides are
    made up for by pooling more cells. A last pooling that nothing follows is left out.

    Args:
        reduction: of the feature; 16 is the papers', less suits small images.

    Raises:
        ValueError: the backbone has no such feature, or no stage beyond it that could be taken.
    """

    def __init__(self, reduction: int = 16, *, backbone: Backbone) -> None:
        super().__init__()
        depth, end = _depth(backbone, reduction), _end(backbone)
        self.stage = nn.Sequential(*backbone.stages[depth:end])
        self.channels, self.out_channels = backbone.channels[depth - 1], backbone.channels[end - 1]
        self.reductions, self.levels = [reduction], 1
        self.stride = backbone.reductions[end - 1] // reduction
        del backbone.stages[depth:]
        backbone.channels, backbone.reductions = backbone.channels[:depth], backbone.reductions[:depth]

    def forward(self, features: list[Tensor]) -> dict[str, Float[Tensor, "b c _ _"]]:
        """The backbone's features -> the deepest that is left of them."""
        return {"0": features[-1]}


def _depth(backbone: Backbone, reduction: int) -> int:
    """How many stages the backbone keeps."""
    stages = getattr(backbone, "stages", [])
    depth = list(backbone.reductions).index(reduction) + 1 if reduction in backbone.reductions else 0
    if not depth or not stages or _end(backbone) <= depth:
        raise ValueError(
            f"model/neck=c4 cuts regions from the ÷{reduction} feature and gives each of them to the backbone's stage "
            f"beyond; this one gives {listed(backbone.reductions)} and has no such stage: take another "
            "model.neck.reduction, model/backbone=resnet18 or resnet50 at model.backbone.output_stride=32, "
            "or model/neck=fpn or dc5"
        )
    return depth


def _end(backbone: Backbone) -> int:
    """How many stages there are up to the last one that learns."""
    return max(index for index, stage in enumerate(backbone.stages, 1) if any(True for _ in stage.parameters()))
