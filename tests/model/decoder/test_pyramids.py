"""The decoders of whole features on every kind of pyramid, with every upsampling, at an odd size."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from src.model.decoder.deeplabv3plus import Deeplabv3plus
from src.model.decoder.fpn import Fpn
from src.model.decoder.hypercolumn import Hypercolumn
from src.model.decoder.pspnet import Pspnet
from src.model.interface import Pool
from src.model.upsample.bed_of_nails import BedOfNails
from src.model.upsample.bilinear import Bilinear
from src.model.upsample.bilinear_deconv import BilinearDeconv
from src.model.upsample.max_unpool import MaxUnpool
from src.model.upsample.nearest import Nearest
from src.model.upsample.pixel_shuffle import PixelShuffle
from src.model.upsample.transposed import Transposed

SIZE = (33, 50)
PYRAMIDS = [(1, 2, 4, 8, 16, 32), (2, 4, 8, 16), (4, 8, 16, 32), (2, 4, 8), (16, 16, 16), (1, 2, 4, 8, 16)]
DECODERS = {
    "hypercolumn": Hypercolumn,
    "deeplabv3plus": partial(Deeplabv3plus, (1, 2), 8, low_width=3),
    "pspnet": partial(Pspnet, (1, 2), 8),
    "fpn": partial(Fpn, 8, 4),
}


def built(name, reductions, upsample):
    torch.manual_seed(0)
    channels = [index + 2 for index in range(len(reductions))]
    return DECODERS[name](channels=channels, reductions=reductions, out_channels=2, upsample=upsample)


def features(reductions):
    sizes = [(-(-SIZE[0] // r), -(-SIZE[1] // r)) for r in reductions]
    return [torch.rand(2, index + 2, *size) for index, size in enumerate(sizes)]


@pytest.mark.parametrize("upsample", [Nearest, Bilinear, BilinearDeconv, BedOfNails, Transposed, PixelShuffle])
@pytest.mark.parametrize("reductions", PYRAMIDS, ids=str)
@pytest.mark.parametrize("name", DECODERS)
def test_it_answers_for_the_whole_image_or_is_refused(name, reductions, upsample):
    if name == "deeplabv3plus" and reductions == (16, 16, 16):
        with pytest.raises(ValueError, match="this backbone gives ÷16, ÷16, ÷16: take a pyramid such as"):
            built(name, reductions, upsample)
        return
    network = built(name, reductions, upsample)
    out = network(features(reductions), {})
    assert out.shape[:2] == (2, network.channels)
    reach = [side * network.reduction for side in out.shape[2:]]
    assert all(SIZE[i] <= reach[i] < SIZE[i] + reductions[-1] for i in (0, 1))
    out.square().mean().backward()
    assert [key for key, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("name", ["hypercolumn", "deeplabv3plus", "pspnet"])
def test_what_enlarges_at_once_cannot_unpool(name):
    with pytest.raises(ValueError, match="max_unpool undoes a pooling by 2, and this decoder enlarges by 8 at once"):
        built(name, {"hypercolumn": (1, 8), "deeplabv3plus": (4, 32), "pspnet": (2, 8)}[name], MaxUnpool)


@pytest.mark.parametrize("name", DECODERS)
def test_a_single_step_unpools_to_where_the_maxima_stood(name):
    """With (4, 8) the one step on the way, and with (1, 2) PSPNet's own, has a pooling to undo."""
    reductions = (1, 2) if name == "pspnet" else (4, 8)
    network = built(name, reductions, MaxUnpool).eval()
    size = tuple(-(-side // reductions[0]) for side in SIZE)
    _, indices = F.max_pool2d(torch.rand(2, 3, *size), 2, ceil_mode=True, return_indices=True)
    unpooled = []
    for layer in network.modules():
        if isinstance(layer, MaxUnpool):
            layer.register_forward_hook(lambda layer, inputs, output: unpooled.append(output))
    network(features(reductions), {reductions[0]: Pool(indices, size)})
    assert unpooled
    for x in unpooled:
        assert x.shape[2:] == size
        places = torch.zeros(2, 1, *size).flatten(2).scatter(2, indices[:, :1].flatten(2), 1.0).view(2, 1, *size)
        assert not (x[:, :1] * (1 - places)).any()
        assert x[:, :1].any()


def test_the_norms_are_the_users():
    for name in ("deeplabv3plus", "pspnet", "fpn"):
        kinds = {
            type(layer)
            for layer in DECODERS[name](
                norm=nn.InstanceNorm2d, channels=[2, 3], reductions=[4, 8], out_channels=2, upsample=Nearest
            ).modules()
        }
        assert nn.InstanceNorm2d in kinds
        assert not kinds & {nn.BatchNorm2d, nn.GroupNorm}
