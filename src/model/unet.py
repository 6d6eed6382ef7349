"""U-Net as published: unpadded convolutions and mirrored borders (Ronneberger et al., 2015)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm
from src.model.mirrored import mirrored
from src.model.normalize import Normalize

DEPTH = 4  # poolings; with unpadded convolutions an image of 16n + 124 cells gives a map of 16n - 60
MARGIN = 92  # cells that the convolutions eat on each side


class Unet(nn.Module):
    """Contracting and expanding path of 3×3 convolutions without padding; an image of 572 cells gives a map of 388.

    Called, it extends the image by mirroring and answers at the image's size; `valid` is the bare network. It
    normalises the image itself.

    Args:
        width: channels of the first level, doubled at each of the four poolings.
        dropout: share dropped at the end of the contracting path, as the paper does.
        norm: after each 3×3 convolution; None, as the paper has it.
    """

    def __init__(
        self, width: int = 64, dropout: float = 0.5, norm: Norm | None = None, *, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(DEPTH + 1)]
        self.normalize = Normalize(in_channels)
        self.contract = nn.ModuleList(_pair(a, b, norm) for a, b in zip([in_channels, *widths], widths, strict=False))
        self.enlarge, self.expand = nn.ModuleList(), nn.ModuleList()
        for wide, narrow in zip(widths[:0:-1], widths[-2::-1], strict=True):
            self.enlarge.append(nn.ConvTranspose2d(wide, narrow, kernel_size=2, stride=2))
            self.expand.append(_pair(wide, narrow, norm))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Conv2d(width, out_channels, kernel_size=1)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        h, w = image.shape[-2:]
        rows, columns = _extended(h, image.device), _extended(w, image.device)
        return self.valid(image[..., rows, :][..., columns])[..., :h, :w]

    def valid(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k i j"]:
        """Image in [0, 1] -> the map of h - 184 by w - 184 cells that lies 92 cells inside.

        Raises:
            ValueError: a side is not 16n + 124 with n >= 4 (188, 204 ... 572 ...): pooling would split a cell.
        """
        for side in image.shape[-2:]:
            if side < 188 or side % 16 != 124 % 16:
                raise ValueError(f"U-Net without padding takes sides of 188, 204, 220 ... 572 ... cells, not {side}")
        x, skips = self.normalize(image), []
        for level, convs in enumerate(self.contract):
            x = convs(x)
            if level >= DEPTH - 1:
                x = self.dropout(x)
            if level < DEPTH:
                skips.append(x)
                x = nn.functional.max_pool2d(x, 2)
        for enlarge, convs in zip(self.enlarge, self.expand, strict=True):
            x = enlarge(x)
            x = convs(torch.cat([_centre(skips.pop(), x), x], dim=1))
        return self.head(x)


def _pair(in_channels: int, width: int, norm: Norm | None) -> nn.Sequential:
    return nn.Sequential(convolution(in_channels, width, norm, padding=0), convolution(width, width, norm, padding=0))


def _centre(skip: Tensor, like: Tensor) -> Tensor:
    (h, w), (i, j) = skip.shape[-2:], like.shape[-2:]
    top, left = (h - i) // 2, (w - j) // 2
    return skip[..., top : top + i, left : left + j]


def _extended(length: int, device: torch.device) -> Tensor:
    """Indices that extend `length` cells by mirroring to what `valid` takes."""
    return mirrored(length, MARGIN, 16 * -(-(length + 60) // 16) + 124, device)
