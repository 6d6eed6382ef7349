"""SegNet-Basic: the count of its authors' own file, and its steps without ReLU."""

import torch
from torch import nn

from src.model.backbone.segnet_basic import SegnetBasic as Encoder
from src.model.decoder.segnet_basic import SegnetBasic
from src.model.encoder_decoder import EncoderDecoder
from src.model.head.conv import Conv
from src.model.upsample.max_unpool import MaxUnpool
from src.model.upsample.nearest import Nearest


def test_it_has_as_many_parameters_as_the_authors_own_with_a_bias_at_every_convolution():
    with torch.device("meta"):
        network = EncoderDecoder(Encoder, SegnetBasic, MaxUnpool, Conv, in_channels=3, out_channels=11)
        assert network(torch.zeros(2, 3, 360, 480)).shape == (2, 11, 360, 480)
    assert sum(p.numel() for p in network.parameters()) == 1_416_587  # 1,416,075 without those before a norm


def test_a_step_is_a_convolution_and_its_norm():
    decoder = SegnetBasic(8, channels=[3, 5, 7], reductions=[2, 4, 8], out_channels=4, upsample=Nearest)
    assert [[type(layer) for layer in layers] for layers in decoder.mirror.layers] == [[nn.Conv2d, nn.BatchNorm2d]] * 2
    assert [layers[0].in_channels for layers in decoder.mirror.layers] == [7, 8]
    assert (decoder.channels, decoder.reduction) == (8, 2)
    out = decoder([torch.rand(2, c, h, h) for c, h in [(3, 9), (5, 5), (7, 3)]], {})
    assert out.shape == (2, 8, 9, 9)
    assert (out < 0).any()
