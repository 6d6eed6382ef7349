"""The network at full resolution: what it sees and how large it is."""

import pytest
import torch
from torch import nn

from src.model.fcn_full import FcnFull


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_the_receptive_field_has_2n_plus_1_cells(depth):
    torch.manual_seed(0)
    network = FcnFull(4, depth, norm=None, in_channels=3, out_channels=1).eval().double()
    for layer in network.convs.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.uniform_(layer.weight)  # nothing that ReLU would cut
    image = torch.rand(1, 3, 41, 43, dtype=torch.float64, requires_grad=True)
    network.normalize = nn.Identity()
    network(image)[..., 20, 21].sum().backward()
    rows, columns = (image.grad.abs().sum((0, 1, other)).nonzero().flatten().tolist() for other in (3, 2))
    assert rows == list(range(20 - depth, 21 + depth))
    assert columns == list(range(21 - depth, 22 + depth))


def test_its_parameters_are_those_of_its_filters():
    network = FcnFull(8, 3, norm=None, in_channels=3, out_channels=5)
    assert sum(p.numel() for p in network.parameters()) == (27 * 8 + 8) + 2 * (72 * 8 + 8) + (8 * 5 + 5)


def test_no_depth_is_refused():
    with pytest.raises(ValueError, match=r"model.depth=0: .* at least 1"):
        FcnFull(8, 0, in_channels=3, out_channels=5)
