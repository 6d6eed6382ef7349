"""The colorization network of "Colorful Image Colorization" (Zhang et al., 2016), named as its authors' is."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.data.gamut import FULL, centres
from src.model.backbone.weights import fetch, fit, read

URL = "https://colorizers.s3.us-east-2.amazonaws.com/colorization_release_v2-9b330a0b.pth"
# Of each block with batch norm: channels relative to the first, convolutions, stride of the last, dilation.
BLOCKS = ((1, 2, 2, 1), (2, 2, 2, 1), (4, 3, 2, 1), (8, 3, 1, 1), (8, 3, 1, 2), (8, 3, 1, 2), (8, 3, 1, 1))
REDUCTION = 4  # of the scores


class Eccv16(nn.Module):
    """Convolutions down to ÷8, dilated ones there, one step up, and scores at ÷4, enlarged bilinearly.

    With 313 scores it also has `model_out`, the published network's fixed 1×1 convolution from probabilities to a and b
    by 110, which is why that has 32,236,011 parameters; here the task decodes.

    Args:
        width: channels of the first block; 64 is the paper's, less is for small machines.
        weights: null for random ones, default for the authors', or the path of a file with their state_dict.

    Raises:
        ValueError: the weights cannot be had or do not fit: they are for one channel, 313 scores and width 64.
    """

    def __init__(self, width: int = 64, weights: str | None = None, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        channels = in_channels
        for number, (factor, count, stride, dilation) in enumerate(BLOCKS, 1):
            block = _block(channels, factor * width, count, stride, dilation)
            setattr(self, f"model{number}", block)
            channels = factor * width
        middle = 4 * width
        layers = [nn.ConvTranspose2d(channels, middle, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        layers += [*_convolution(middle, middle), *_convolution(middle, middle)]
        self.model8 = nn.Sequential(*layers, nn.Conv2d(middle, out_channels, 1))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        if out_channels == len(centres()):
            self.model_out = nn.Conv2d(out_channels, 2, 1, bias=False).requires_grad_(False)
            with torch.no_grad():
                self.model_out.weight.copy_((centres().T / FULL)[..., None, None])
        if weights is not None:
            source = URL if weights == "default" else f"weights={weights}"
            fit(self, fetch(URL) if weights == "default" else read(weights), source)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size, lightness alone in the paper -> scores at its size."""
        x = image - 0.5
        for number in range(1, len(BLOCKS) + 2):
            x = getattr(self, f"model{number}")(x)
        x = F.interpolate(x, scale_factor=REDUCTION, mode="bilinear")
        return x[..., : image.shape[-2], : image.shape[-1]]


def _block(in_channels: int, out_channels: int, count: int, stride: int, dilation: int) -> nn.Sequential:
    layers = []
    for index in range(count):
        last = index == count - 1
        layers += _convolution(
            in_channels if index == 0 else out_channels, out_channels, stride if last else 1, dilation
        )
    return nn.Sequential(*layers, nn.BatchNorm2d(out_channels))


def _convolution(in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation)
    return [conv, nn.ReLU(inplace=True)]
