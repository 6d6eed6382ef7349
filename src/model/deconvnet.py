"""DeconvNet: VGG16 and its mirror image, joined by the switches of the poolings (Noh et al., 2015)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from src.model import vgg16
from src.model.interface import Pool
from src.model.normalize import Normalize
from src.model.upsample.max_unpool import MaxUnpool

# Deconvolutions after each unpooling, deep to shallow: channels relative to the first stage's.
EXPANDED = ((8, 8, 8), (8, 8, 4), (4, 4, 2), (2, 1), (1, 1))


class Deconvnet(nn.Module):
    """Convolutions and poolings down to a vector that fc6 and fc7 see, then unpoolings and deconvolutions up again.

    The paper shows it 224×224 cells, of which fc6 leaves one; fc6 slides over a larger image, and a smaller one is
    extended by its mean colour, at the bottom and on the right, until fc6 has something to see. The answer has the
    image's own size. Poolings round up, so that unpooling leads back to any size.

    Args:
        width: channels of the first stage; 64 is VGG16, less is for small machines.
        fc_channels: channels of fc6 and fc7.
        fc_size: cells of fc6's filters, each 32 of the image: 7 sees 224×224. Less is for small images.
        weights: of the encoder, fc6 and fc7: null for random ones, default for torchvision's VGG16 with batch norm, or
            the path of a file with its state_dict.

    Raises:
        ValueError: the weights cannot be had or do not fit: they are for width 64, fc_channels 4096 and fc_size 7.
    """

    def __init__(
        self,
        width: int = 64,
        fc_channels: int = 4096,
        fc_size: int = 7,
        weights: str | None = None,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        wide = 8 * width
        self.fc_size = fc_size
        self.normalize = Normalize(in_channels)
        stages = vgg16.stages(in_channels, width, _convolution)
        fc = [*_convolution(wide, fc_channels, fc_size, 0), *_convolution(fc_channels, fc_channels, 1, 0)]
        self.backbone = nn.Sequential(*(nn.Sequential(*layers) for layers in stages), nn.Sequential(*fc))
        if weights is not None:
            vgg16.load(self.backbone, weights, models.VGG16_BN_Weights.IMAGENET1K_V1.url)
        self.unpool = MaxUnpool(channels=wide, scale=2)
        self.expand = nn.ModuleList([nn.Sequential(*_deconvolution(fc_channels, wide, fc_size, 0))])
        channels = wide
        for factors in EXPANDED:
            layers = []
            for factor in factors:
                layers += _deconvolution(channels, factor * width)
                channels = factor * width
            self.expand.append(nn.Sequential(*layers))
        self.score = nn.Conv2d(channels, out_channels, kernel_size=1)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size.

        Raises:
            ValueError: a single image in training, so small that fc6 leaves one cell of it.
        """
        height, width = image.shape[-2:]
        least = 32 * self.fc_size  # cells of which the poolings leave fc6 its size
        x = F.pad(self.normalize(image), (0, max(0, least - width), 0, max(0, least - height)))
        pools = []
        *stages, fc = self.backbone
        for stage in stages:
            x = stage(x)
            size = (x.shape[-2], x.shape[-1])
            x, indices = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            pools.append(Pool(indices, size))
        x = self.expand[0](fc(self._several(x)))
        for deconvolutions in self.expand[1:]:
            pool = pools.pop()
            x = deconvolutions(self.unpool(x, pool.size, pool))
        return self.score(x)[..., :height, :width]

    def _several(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1 and max(x.shape[-2:]) == self.fc_size:
            raise ValueError(
                "model=deconvnet: batch norm after fc6 cannot learn from one value, and one image of this size leaves "
                "no more: say data.batch_size=2 or more (per device), or a larger image"
            )
        return x


def _convolution(in_channels: int, out_channels: int, size: int = 3, padding: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, size, padding=padding)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return vgg16.unit(conv, nn.BatchNorm2d)


def _deconvolution(in_channels: int, out_channels: int, size: int = 3, padding: int = 1) -> list[nn.Module]:
    conv = nn.ConvTranspose2d(in_channels, out_channels, size, padding=padding)
    nn.init.normal_(conv.weight, std=0.01)
    return vgg16.unit(conv, nn.BatchNorm2d)
