"""SegNet: published counts and sizes, its mirrored widths on VGG and others, and what it refuses."""

from functools import partial

import pytest
import torch
from torch import nn

from src.model.backbone.vgg import Vgg
from src.model.decoder.segnet import Segnet
from src.model.encoder_decoder import EncoderDecoder
from src.model.upsample.max_unpool import MaxUnpool
from src.model.upsample.nearest import Nearest

VGG = {"channels": [64, 128, 256, 512, 512, 512], "reductions": [1, 2, 4, 8, 16, 32]}


def segnet(out_channels: int, width: int = 64) -> EncoderDecoder:
    backbone = partial(Vgg, "vgg16_bn", width=width)
    return EncoderDecoder(backbone, Segnet, MaxUnpool, nn.Identity, in_channels=3, out_channels=out_channels)


@pytest.mark.parametrize(("classes", "parameters"), [(11, 29_449_355), (21, 29_455_125)])
def test_it_has_as_many_parameters_as_the_authors_own(classes, parameters):
    with torch.device("meta"):
        network = segnet(classes)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_camvids_size_is_rounded_up_on_the_way_down_and_met_again_on_the_way_up():
    with torch.device("meta"):
        network, image = segnet(11).eval(), torch.zeros(1, 3, 360, 480)
        features, _ = network.backbone.pooled(image)
        heights = []
        for layers in network.decoder.mirror.layers:
            layers.register_forward_hook(lambda layer, inputs, output: heights.append(tuple(output.shape[2:])))
        assert network(image).shape == (1, 11, 360, 480)
    sizes = [(360, 480), (180, 240), (90, 120), (45, 60), (23, 30), (12, 15)]
    assert [tuple(f.shape[2:]) for f in features] == sizes
    assert heights == sizes[-2::-1]


def widths(decoder: Segnet) -> list[list[int]]:
    return [[c.out_channels for c in layers if isinstance(c, nn.Conv2d)] for layers in decoder.mirror.layers]


def test_widths_mirror_vgg16_and_the_last_convolution_gives_scores():
    decoder = Segnet(**VGG, out_channels=11, upsample=Nearest)
    assert widths(decoder) == [[512, 512, 512], [512, 512, 256], [256, 256, 128], [128, 64], [64, 11]]
    assert isinstance(decoder.mirror.layers[-1][-1], nn.Conv2d)
    assert all(isinstance(layers[-1], nn.ReLU) for layers in decoder.mirror.layers[:-1])
    assert (decoder.channels, decoder.reduction) == (11, 1)


def test_a_backbone_of_fewer_steps_takes_the_last_depths_and_ends_where_it_began():
    decoder = Segnet(channels=[8, 6, 4], reductions=[4, 8, 32], out_channels=3, upsample=Nearest)
    assert widths(decoder) == [[6, 8], [8, 3]]
    assert (decoder.channels, decoder.reduction) == (3, 4)
    assert [step.scale for step in decoder.mirror.upsamples] == [4, 2]
    out = decoder([torch.rand(2, c, h, w) for c, h, w in [(8, 9, 14), (6, 5, 7), (4, 2, 2)]], {})
    assert out.shape == (2, 3, 9, 14)


def test_unpooling_takes_each_pools_own_places():
    network = segnet(2, width=2).eval()
    image = torch.rand(1, 3, 45, 52)
    _, pools = network.backbone.pooled(image)
    seen = []
    for step in network.decoder.mirror.upsamples:
        step.register_forward_hook(lambda layer, inputs, output: seen.append((inputs[1], inputs[2], output)))
    network(image)
    assert [size for size, _, _ in seen] == [pools[r].size for r in (16, 8, 4, 2, 1)]
    for (_, pool, large), reduction in zip(seen, (16, 8, 4, 2, 1), strict=True):
        assert torch.equal(pool.indices, pools[reduction].indices)
        assert large.shape[1] == pool.indices.shape[1]  # as many channels as were pooled


def test_mistakes_are_named():
    with pytest.raises(ValueError, match=r"depths=\[3, 3\]: give at least one convolution for each of the 5 steps"):
        Segnet((3, 3), **VGG, out_channels=2, upsample=Nearest)
    with pytest.raises(ValueError, match=r"decoder=segnet goes back .* gives ÷16, ÷16: take .* vgg16_bn"):
        Segnet(channels=[4, 4], reductions=[16, 16], out_channels=2, upsample=Nearest)
    with pytest.raises(ValueError, match="this one gives ÷32"):
        Segnet(channels=[4], reductions=[32], out_channels=2, upsample=Nearest)
