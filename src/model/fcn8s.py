"""FCN-8s on VGG16, cell by cell as its authors published it (Shelhamer et al., 2017)."""

from math import prod

from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from src.model.backbone.weights import fetch, fit, read
from src.model.interface import Norm
from src.model.normalize import Normalize
from src.model.upsample.bilinear_deconv import BilinearDeconv

DEPTHS = (2, 2, 3, 3, 3)  # convolutions before each pool
CROPS = (5, 9, 31)  # what centre alignment leaves of a padding of 100 at pool4, pool3 and the image


class Fcn8s(nn.Module):
    """VGG16 with its classifier as convolutions, scored after pool3, pool4 and fc7, and fused coarse to fine.

    The image is normalised with the RGB statistics that torchvision's VGG16 was trained with; the paper's BGR minus
    mean belongs to weights in Caffe's format. Padding by 100 follows, so that the border is the mean colour there, too.
    Scores start at zero, as published: the first step moves the score layers alone.

    Args:
        width: channels of the first stage; 64 is VGG16, less is for small machines.
        fc_channels: channels of fc6 and fc7.
        dropout: share of fc6 and fc7 dropped in training.
        trainable: whether the bilinear filters of the upsampling steps are learned.
        norm: after each convolution of the five stages; None, as published. From random weights it helps to have one.
        weights: null for random ones, default for torchvision's VGG16, or the path of a file with its state_dict.

    Raises:
        ValueError: the weights cannot be had or do not fit: they are for width 64, fc_channels 4096 and no norm.
    """

    def __init__(
        self,
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
        self.normalize = Normalize(in_channels)
        self.backbone = _vgg16(in_channels, width, fc_channels, dropout, norm)
        if weights is not None:
            _load(self.backbone, weights)
        self.score_pool3 = _score(4 * width, out_channels)
        self.score_pool4 = _score(8 * width, out_channels)
        self.score_fc7 = _score(fc_channels, out_channels)
        self.upscore2 = BilinearDeconv(trainable, channels=out_channels, scale=2)
        self.upscore_pool4 = BilinearDeconv(trainable, channels=out_channels, scale=2)
        self.upscore8 = BilinearDeconv(trainable, channels=out_channels, scale=8)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        x = self.normalize(image)
        pools = []
        for stage in self.backbone:
            x = stage(x)
            pools.append(x)
        x = self.upscore2.full(self.score_fc7(x))
        x = x + _cropped(self.score_pool4(pools[3]), CROPS[0], x)
        x = self.upscore_pool4.full(x)
        x = x + _cropped(self.score_pool3(pools[2]), CROPS[1], x)
        return _cropped(self.upscore8.full(x), CROPS[2], image)


def _vgg16(in_channels: int, width: int, fc_channels: int, dropout: float, norm: Norm | None) -> nn.Sequential:
    """Five stages, each ending in its pool, then fc6 and fc7."""
    stages, channels = [], in_channels
    for level, depth in enumerate(DEPTHS):
        layers, wide = [], width * min(2**level, 8)
        for _ in range(depth):
            padding = 1 if stages or layers else 100
            layers += _convolution(channels, wide, 3, padding, norm)
            channels = wide
        stages.append(nn.Sequential(*layers, nn.MaxPool2d(2, ceil_mode=True)))
    fc6 = [*_convolution(channels, fc_channels, 7, 0, None), nn.Dropout(dropout)]
    fc7 = [*_convolution(fc_channels, fc_channels, 1, 0, None), nn.Dropout(dropout)]
    return nn.Sequential(*stages, nn.Sequential(*fc6, *fc7))


def _convolution(in_channels: int, out_channels: int, size: int, padding: int, norm: Norm | None) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, size, padding=padding, bias=norm is None)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if norm is None:
        nn.init.zeros_(conv.bias)
        return [conv, nn.ReLU(inplace=True)]
    return [conv, norm(out_channels), nn.ReLU(inplace=True)]


def _score(in_channels: int, out_channels: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=1)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)
    return conv


def _cropped(x: Tensor, offset: int, like: Tensor) -> Tensor:
    height, width = like.shape[-2:]
    return x[..., offset : offset + height, offset : offset + width]


def _load(backbone: nn.Sequential, weights: str) -> None:
    """Layers are matched by their order; the classifier's matrices become filters of 7×7 and 1×1."""
    url = models.VGG16_Weights.IMAGENET1K_V1.url
    source, state = (url, fetch(url)) if weights == "default" else (f"weights={weights}", read(weights))
    convs = [name for name, layer in backbone.named_modules() if isinstance(layer, nn.Conv2d)]
    theirs = [key.removesuffix(".weight") for key in state if key.endswith(".weight") and state[key].ndim in (2, 4)]
    renamed = dict(zip(theirs, convs, strict=False))
    fitted = {}
    for key, value in state.items():
        layer, _, kind = key.rpartition(".")
        name = renamed.get(layer, layer)
        if value.ndim == 2 and layer in renamed:
            size = backbone.get_submodule(name).kernel_size
            value = value.unflatten(1, (-1, *size)) if value.shape[1] % prod(size) == 0 else value
        fitted[f"{name}.{kind}"] = value
    fit(backbone, fitted, source)
