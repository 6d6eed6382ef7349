"""The model's own part: completing its parts, refusing combinations, answering at the image's size."""

from functools import partial

import pytest
import torch
from torch import nn

from src.model.backbone.alexnet import AlexNet
from src.model.backbone.plain import Plain
from src.model.backbone.timm import Timm
from src.model.backbone.torchvision import Torchvision
from src.model.backbone.vgg import Vgg
from src.model.decoder.fcn import Fcn
from src.model.decoder.unet import Unet
from src.model.encoder_decoder import EncoderDecoder
from src.model.head.conv import Conv
from src.model.interface import Backbone, Decoder, Upsample
from src.model.upsample.bilinear import Bilinear
from src.model.upsample.max_unpool import MaxUnpool

VIT = partial(Timm, "vit_tiny_patch16_224", options={"dynamic_img_size": True})
RESNET = partial(Torchvision, "resnet18")


def build(backbone=RESNET, decoder=Unet, head=Conv):
    return EncoderDecoder(backbone, decoder, Bilinear, head, in_channels=3, out_channels=4)


class Coarse(nn.Module):
    """A decoder that stops at ÷2, where it hands on the image's own columns."""

    def __init__(self, *, channels, reductions, out_channels, upsample):
        super().__init__()
        self.channels, self.reduction = channels[0], reductions[0]

    def forward(self, features, pools):
        return features[0]


class Halved(nn.Module):
    """A backbone whose only feature is the image, every second cell of it."""

    def __init__(self, *, in_channels):
        super().__init__()
        self.channels, self.reductions = [in_channels], [2]

    def forward(self, image):
        return [image[..., ::2, ::2]]


def test_a_coarse_map_is_enlarged_and_cut_not_stretched():
    model = EncoderDecoder(Halved, Coarse, Bilinear, nn.Identity, in_channels=1, out_channels=1)
    ramp = torch.arange(9.0).expand(1, 1, 5, 9)
    assert model(ramp)[0, 0, 0].tolist() == [0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]


def test_the_parts_follow_their_protocols():
    model = build()
    assert isinstance(model.backbone, Backbone)
    assert isinstance(model.decoder, Decoder)
    assert isinstance(Bilinear(channels=1, scale=2), Upsample)


def test_unet_refuses_a_plain_vit():
    with pytest.raises(ValueError, match=r"powers of two, and this backbone gives ÷16, ÷16, ÷16: take .* resnet18"):
        build(VIT)


def test_fcn8s_refuses_a_plain_vit_and_names_what_fits():
    with pytest.raises(ValueError, match=r"fcn8s adds features at ÷8, ÷16 .* gives ÷16, ÷16, ÷16: .*fcn32s"):
        build(VIT, Fcn)
    build(VIT, partial(Fcn, skips=()))


def test_unpooling_needs_a_backbone_that_pools():
    with pytest.raises(ValueError, match=r"undoes the max-poolings .* take model/backbone=vgg16, alexnet or plain, or"):
        EncoderDecoder(RESNET, Unet, MaxUnpool, Conv, in_channels=3, out_channels=4)


def test_unpooling_past_the_first_pool_is_refused_before_any_image_comes():
    small = partial(AlexNet, (4, 6, 8, 8, 6))
    with pytest.raises(ValueError, match=r"did not pool on its way .* fewer model.decoder.widths"):
        EncoderDecoder(small, Unet, MaxUnpool, Conv, in_channels=3, out_channels=4)
    model = EncoderDecoder(small, partial(Unet, (8, 6, 4)), MaxUnpool, Conv, in_channels=3, out_channels=4)
    assert all(layer.training for layer in model.modules())
    assert model(torch.rand(2, 3, 45, 70)).shape == (2, 4, 45, 70)


def test_a_decoder_that_enlarges_at_once_cannot_unpool():
    with pytest.raises(ValueError, match="enlarges by 8 at once: take one that goes step by step"):
        EncoderDecoder(partial(Vgg, width=2), Fcn, MaxUnpool, Conv, in_channels=3, out_channels=4)


def test_pools_are_asked_for_where_they_are_undone_and_nowhere_else():
    for upsample, calls in ((MaxUnpool, 1), (Bilinear, 0)):
        model = EncoderDecoder(
            partial(Plain, (4, 4)), partial(Unet, (4, 4)), upsample, Conv, in_channels=3, out_channels=4
        )
        asked, pooled = [], model.backbone.pooled
        model.backbone.pooled = lambda image, asked=asked, pooled=pooled: asked.append(1) or pooled(image)
        model(torch.rand(2, 3, 9, 9))
        assert len(asked) == calls


def test_identity_needs_a_decoder_of_scores():
    build(decoder=Fcn, head=nn.Identity)
    with pytest.raises(ValueError, match="identity passes on the decoder's 16 channels, but the task needs 4"):
        build(head=nn.Identity)
