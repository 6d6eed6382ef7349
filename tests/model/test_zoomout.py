from functools import partial

import pytest
import torch
from torch import nn

from src.data.superpixels import superpixels
from src.model.backbone.torchvision import Torchvision
from src.model.zoomout import Zoomout, _boxes, _pooled


class Tiny(nn.Module):
    """Two features whose values are known: the image, and its means of 4 by 4."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.channels, self.reductions = [in_channels, in_channels], [1, 4]
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, image):
        return [image * self.gain, nn.functional.avg_pool2d(image, 4, ceil_mode=True) * self.gain]


def zoomout(**options) -> Zoomout:
    torch.manual_seed(0)
    return Zoomout(Tiny, **{"superpixels": 12, "width": 8, "in_channels": 3, "out_channels": 5} | options)


def captured(net: Zoomout, image: torch.Tensor) -> torch.Tensor:
    """What the perceptron gets: [superpixels of all images, features]."""
    seen = []
    with torch.no_grad(), net.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])):
        net(image)
    return seen[0]


@pytest.mark.parametrize("size", [(21, 30), (32, 17)])
def test_a_superpixel_has_one_answer(size):
    image = torch.rand(2, 3, *size)
    net = zoomout().eval()
    scores = net(image)
    assert scores.shape == (2, 5, *size)
    for one, score in zip(image, scores, strict=True):
        regions = superpixels(one, 12)
        for region in range(int(regions.max()) + 1):
            assert len(score[:, regions == region].unique(dim=1).T) == 1
    assert len(scores[0].flatten(1).unique(dim=1).T) > 6


def test_the_levels_by_hand():
    image = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    regions = superpixels(image[0], 12)
    found = captured(zoomout(margin=100).eval(), image)
    coarse = nn.functional.avg_pool2d(image, 4)[0]
    spread = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)
    for region in range(int(regions.max()) + 1):
        inside = regions == region
        torch.testing.assert_close(found[region, :3], image[0][:, inside].mean(1))
        torch.testing.assert_close(found[region, 3:6], spread[:, inside].mean(1))
    everywhere = image[0].mean((1, 2)).expand(len(found), 3)
    torch.testing.assert_close(found[:, 9:], everywhere)
    torch.testing.assert_close(found[:, 6:9], everywhere, atol=0.05, rtol=0)  # a margin that takes in the whole image


def test_the_neighbourhood_grows_with_the_margin():
    """What shines at one end of the picture is seen from the other by a wide neighbourhood alone."""
    image = torch.zeros(1, 3, 32, 64)
    image[..., 56:] = 1
    near, far = (captured(zoomout(superpixels=32, margin=margin).eval(), image)[0, 6] for margin in (0.5, 8))
    assert near == 0 < far


def test_odd_sizes_end_in_a_cell_that_reaches_beyond():
    region = torch.tensor([[0, 0, 0, 0, 1]] * 5)
    feature = torch.tensor([[[1.0, 10.0], [100.0, 1000.0]]])
    # of superpixel 0's 20 pixels 16 lie in the first cell and 4 below; of superpixel 1's 5, 4 and 1
    assert _pooled(feature, region, 2, 4).flatten().tolist() == pytest.approx([0.8 + 20, 8 + 200])
    low, high = _boxes(region, 2)
    assert (low.tolist(), high.tolist()) == ([[0, 0], [4, 0]], [[4, 5], [5, 5]])


def test_the_backbone_learns_and_superpixels_do_not_see_it():
    net = zoomout(dropout=0.0)
    net(torch.rand(2, 3, 24, 24)).square().mean().backward()
    assert all(
        parameter.grad is not None and parameter.grad.any() for parameter in net.parameters() if parameter.ndim != 1
    )
    assert net.backbone.gain.grad.abs() > 0


def test_on_the_meta_device_it_has_its_size_and_shape():
    with torch.device("meta"):
        net = Zoomout(partial(Torchvision, "resnet18"), in_channels=3, out_channels=21)
        assert net(torch.zeros(1, 3, 65, 97)).shape == (1, 21, 65, 97)
    channels = 64 + 64 + 128 + 256 + 512 + 2 * 512
    head = sum(parameter.numel() for parameter in net.head.parameters())
    assert head == 2 * channels + (channels + 1) * 1024 + 1025 * 1024 + 1025 * 21
