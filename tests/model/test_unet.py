"""U-Net as published: its sizes, crops and parameters, and what mirroring adds."""

import pytest
import torch
from torch import nn

from src.model.unet import Unet


def small(**options):
    torch.manual_seed(0)
    return Unet(4, dropout=0.0, in_channels=1, out_channels=2, **options).eval()


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "norm", "count"),
    [(1, 2, None, 31_030_658), (3, 21, None, 31_033_045), (3, 2, nn.BatchNorm2d, 31_037_698)],
)
def test_the_number_of_parameters(in_channels, out_channels, norm, count):
    with torch.device("meta"):
        network = Unet(norm=norm, in_channels=in_channels, out_channels=out_channels)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_572_cells_give_388_over_the_published_skips():
    with torch.device("meta"):
        network, sizes = small(), []
        for level in network.contract:
            level.register_forward_hook(lambda layer, inputs, output: sizes.append(output.shape[-1]))
        assert network.valid(torch.zeros(1, 1, 572, 572)).shape == (1, 2, 388, 388)
    assert sizes == [568, 280, 136, 64, 28]


def test_skips_are_cropped_at_their_centre():
    """With filters that a half turn leaves alone, a turned image gives the turned map."""
    network, image = small(), torch.rand(1, 1, 188, 204)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 4:
                parameter.add_(parameter.flip(2, 3))
        torch.testing.assert_close(network.valid(image.flip(2, 3)), network.valid(image).flip(2, 3))


@pytest.mark.parametrize("size", [(1, 1), (4, 5), (33, 47), (1, 300)])
def test_mirrored_it_answers_at_the_size_of_the_image(size):
    assert small()(torch.rand(1, 1, *size)).shape[2:] == size


def test_away_from_the_border_mirroring_changes_nothing():
    network, image = small(), torch.rand(1, 1, 200, 196)
    part = image[..., 4:192, 4:192]  # from where poolings fall on the same cells: 4 = -92 modulo 16
    with torch.no_grad():
        torch.testing.assert_close(network(image)[..., 96:100, 96:100], network.valid(part))


def test_the_border_is_mirrored_as_in_the_paper():
    network, image = small(), torch.rand(1, 1, 100, 100)
    seen = []
    network.contract[0].register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    network(image)
    inner = network.normalize(image)
    expected = nn.functional.pad(inner, (92, 92, 92, 92), mode="reflect")
    torch.testing.assert_close(seen[0][..., :284, :284], expected)


@pytest.mark.parametrize("side", [187, 189, 172, 570])
def test_a_side_that_pooling_would_split_is_refused(side):
    with pytest.raises(ValueError, match=rf"not {side}"):
        small().valid(torch.rand(1, 1, side, 188))
