"""FCN on AlexNet, cell by cell as its authors published it (Long et al., 2015)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.fcn import PADDING, cropped, score
from src.model.normalize import Normalize
from src.model.upsample.bilinear_deconv import bilinear_filter

STRIDE, KERNEL, CROP = 32, 63, 18  # of the upsampling; the crop is what centre alignment leaves of a padding of 100


class FcnAlexnet(nn.Module):
    """AlexNet (Krizhevsky et al., 2012) with its classifier as convolutions, scored once and enlarged 32 times.

    As in Caffe's copy of AlexNet, responses are normalised after pooling. The image is normalised first, so that the
    padding has the mean colour. Scores start at zero: the first step moves the score layer alone.

    Args:
        width: channels of conv1; 96 is AlexNet, less is for small machines. conv2 to conv5 follow in proportion.
        fc_channels: channels of fc6 and fc7.
        dropout: share of fc6 and fc7 dropped in training.

    Raises:
        ValueError: the width is odd: two groups share it.
    """

    upscore: Tensor

    def __init__(
        self, width: int = 96, fc_channels: int = 4096, dropout: float = 0.5, *, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        if width % 2:
            raise ValueError(f"model.width={width}: AlexNet's channels lie in two groups, so say an even number")
        middle, wide = 2 * round(4 * width / 3), 4 * width  # 256 and 384; even, for there are two groups
        self.normalize = Normalize(in_channels)
        self.backbone = nn.Sequential(
            *_convolution(in_channels, width, 11, stride=4, padding=PADDING), _pool(), nn.LocalResponseNorm(5),
            *_convolution(width, middle, 5, padding=2, groups=2), _pool(), nn.LocalResponseNorm(5),
            *_convolution(middle, wide, 3, padding=1),
            *_convolution(wide, wide, 3, padding=1, groups=2),
            *_convolution(wide, middle, 3, padding=1, groups=2), _pool(),
            *_convolution(middle, fc_channels, 6), nn.Dropout(dropout),
            *_convolution(fc_channels, fc_channels, 1), nn.Dropout(dropout),
        )  # fmt: skip
        self.score = score(fc_channels, out_channels)
        self.register_buffer("upscore", bilinear_filter(KERNEL).repeat(out_channels, 1, 1, 1), persistent=False)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        x = self.score(self.backbone(self.normalize(image)))
        return cropped(F.conv_transpose2d(x, self.upscore, stride=STRIDE, groups=len(self.upscore)), CROP, image)


def _convolution(in_channels: int, out_channels: int, size: int, **options: int) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, size, **options)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return [conv, nn.ReLU(inplace=True)]


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # Caffe rounds up
