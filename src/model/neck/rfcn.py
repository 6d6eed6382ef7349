"""A ResNet's fourth stage for proposals and its fifth for regions (Dai et al., 2016; Li et al., 2017)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Backbone, listed


class Rfcn(nn.Module):
    """Two maps of one size: the backbone's last stage is dilated, and is seen by regions alone.

    That stage leaves the backbone and becomes `deep`.

    Raises:
        ValueError: the backbone does not end with two stages of one size.
    """

    def __init__(self, *, backbone: Backbone) -> None:
        super().__init__()
        self.deep = _taken(backbone)
        self.channels, self.out_channels = _seen(self.deep), backbone.channels[-1]
        self.reductions, self.levels = [backbone.reductions[-1]], 1
        self.stage, self.stride = nn.Identity(), 1
        backbone.channels = [*backbone.channels[:-1], self.channels]

    def forward(self, features: list[Tensor]) -> dict[str, Float[Tensor, "b _ h w"]]:
        """The backbone's features -> the map of the proposals, and that of the regions."""
        return {"proposals": features[-1], "regions": self.deep(features[-1])}


def _taken(backbone: Backbone) -> nn.Module:
    """The backbone's last stage, out of it."""
    last = getattr(backbone, "stages", [[]])[-1]
    if len(last) < 2 or not _seen(last[-1]):
        raise ValueError(
            "model/neck=rfcn gives proposals the backbone's last stage but one and regions its last, at the same "
            f"reduction, and this one gives {listed(backbone.reductions)} with a stage each: take a ResNet, such as "
            "model/backbone=resnet18, at model.backbone.output_stride=16 or 8, or model/neck=dc5"
        )
    deep = last[-1]
    del last[-1]
    return deep


def _seen(stage: nn.Module) -> int | None:
    """Channels that go into a stage; None where nothing in it convolves."""
    return next((layer.in_channels for layer in stage.modules() if isinstance(layer, nn.Conv2d)), None)
