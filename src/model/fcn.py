"""FCN-32s, FCN-16s and FCN-8s on VGG16, cell by cell as their authors published them (Shelhamer et al., 2017)."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from src.model import vgg16
from src.model.interface import Norm
from src.model.normalize import Normalize
from src.model.upsample.bilinear_deconv import BilinearDeconv

PADDING = 100  # around the image, so that even a single cell leaves fc6 something to see
SCORED = {32: "fc7", 16: "pool4", 8: "pool3"}  # what is scored, by its reduction
# Centre alignment: how many cells of the larger map lie beyond the smaller one, at its top and left. The larger one is
# the skip's score where a step ends at a skip, and the enlarged score where it ends at the image (1).
CROPS = {(32, 16): 5, (16, 8): 9, (32, 1): 19, (16, 1): 27, (8, 1): 31}


class Fcn(nn.Module):
    """VGG16 with its classifier as convolutions, scored after fc7 and the skips' pools, and fused coarse to fine.

    The image is normalised with the RGB statistics that torchvision's VGG16 was trained with; the paper's BGR minus
    mean belongs to weights in Caffe's format. Padding by 100 follows, so that the border is the mean colour there, too.
    Scores start at zero, as published: the first step moves the score layers alone. Layers of the same name mean the
    same in all three networks, so that one begins with the weights of another (`init=CKPT`).

    Args:
        skips: reductions of the pools that are scored as well: [] is FCN-32s, [16] FCN-16s and [8, 16] FCN-8s.
        scales: what each skip's pool is multiplied with before it is scored; None is 1. [0.0001, 0.01] lets FCN-8s be
            trained at once, instead of from FCN-16s.
        width: channels of the first stage; 64 is VGG16, less is for small machines.
        fc_channels: channels of fc6 and fc7.
        dropout: share of fc6 and fc7 dropped in training.
        trainable: whether the bilinear filters of the upsampling steps are learned.
        norm: after each convolution of the five stages; None, as published. From random weights it helps to have one.
        weights: null for random ones, default for torchvision's VGG16, or the path of a file with its state_dict.

    Raises:
        ValueError: other skips, not as many scales; the weights cannot be had or do not fit: they are for width 64,
            fc_channels 4096 and no norm.
    """

    def __init__(
        self,
        skips: Sequence[int] = (8, 16),
        scales: Sequence[float] | None = None,
        width: int = 64,
        fc_channels: int = 4096,
        dropout: float = 0.5,
        trainable: bool = False,
        norm: Norm | None = None,
        weights: str | None = None,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        _check(skips, scales)
        self.normalize = Normalize(in_channels)
        self.backbone = _backbone(in_channels, width, fc_channels, dropout, norm)
        if weights is not None:
            vgg16.load(self.backbone, weights, models.VGG16_Weights.IMAGENET1K_V1.url)
        self.stops = [32, *sorted(skips, reverse=True)]
        self.scales = {32: 1.0, **dict(zip(skips, scales or [1.0] * len(skips), strict=True))}
        channels = {32: fc_channels, 16: 8 * width, 8: 4 * width}
        self.score = nn.ModuleDict({SCORED[stop]: score(channels[stop], out_channels) for stop in self.stops})
        self.upscore = nn.ModuleDict(
            {f"{deep}to{shallow}": BilinearDeconv(trainable, channels=out_channels, scale=deep // shallow)
             for deep, shallow in self._steps()}
        )  # fmt: skip

    def _steps(self) -> list[tuple[int, int]]:
        return list(zip(self.stops, [*self.stops[1:], 1], strict=True))

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        x, found = self.normalize(image), []
        for stage in self.backbone:
            x = stage(x)
            found.append(x)
        maps = {8: found[2], 16: found[3], 32: found[5]}
        scores = {stop: self.score[SCORED[stop]](maps[stop] * self.scales[stop]) for stop in self.stops}
        x = scores[32]
        for deep, shallow in self._steps():
            x, crop = self.upscore[f"{deep}to{shallow}"].full(x), CROPS[deep, shallow]
            x = cropped(x, crop, image) if shallow == 1 else x + cropped(scores[shallow], crop, x)
        return x


def score(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 1×1 convolution that begins at zero."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def cropped(x: Float[Tensor, "b k i j"], offset: int, like: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
    """As much of x as `like` has, from `offset` cells on."""
    height, width = like.shape[-2:]
    return x[..., offset : offset + height, offset : offset + width]


def _backbone(in_channels: int, width: int, fc_channels: int, dropout: float, norm: Norm | None) -> nn.Sequential:
    """Five stages, each ending in its pool, then fc6 and fc7."""

    def convolution(narrow: int, wide: int, size: int = 3, padding: int = 1, norm: Norm | None = norm) -> list:
        conv = nn.Conv2d(narrow, wide, size, padding=padding, bias=norm is None)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        return vgg16.unit(conv, norm)

    stages = vgg16.stages(in_channels, width, convolution)
    stages[0][0].padding = (PADDING, PADDING)  # of conv1_1
    pooled = [nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True)) for layers in stages]
    fc6 = convolution(vgg16.widths(width)[-1], fc_channels, 7, 0, None)
    fc7 = convolution(fc_channels, fc_channels, 1, 0, None)
    return nn.Sequential(*pooled, nn.Sequential(*fc6, nn.Dropout(dropout), *fc7, nn.Dropout(dropout)))


def _check(skips: Sequence[int], scales: Sequence[float] | None) -> None:
    if sorted(skips) not in ([], [16], [8, 16]):
        raise ValueError(
            f"model.skips={list(skips)}: say [] for FCN-32s, [16] for FCN-16s or [8, 16] for FCN-8s; model=fcn takes "
            "other skips, and any backbone"
        )
    if scales is not None and len(scales) != len(skips):
        raise ValueError(f"model.scales={list(scales)}: one number for each of model.skips={list(skips)}, or null")
