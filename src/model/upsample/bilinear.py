"""Bilinear upsampling: every new cell is the weighted mean of its four nearest old ones."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


class Bilinear(nn.Module):
    """Bilinear interpolation between cell centres (`align_corners=False`); nothing is learned."""

    def __init__(self, *, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        return F.interpolate(x, scale_factor=self.scale, mode="bilinear")[..., : size[0], : size[1]]
