"""Sum or concatenation, of scores or of features."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from src.model.decoder.fuse import Fuse
from src.model.upsample.nearest import Nearest

CHANNELS, REDUCTIONS = (3, 5, 7), (1, 2, 4)


def decoder(fusion: str, scored: str, reductions=REDUCTIONS) -> Fuse:
    torch.manual_seed(0)
    return Fuse(fusion, scored, 6, channels=CHANNELS, reductions=reductions, out_channels=2, upsample=Nearest)


def features(height: int = 12, width: int = 8) -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [
        torch.rand(2, c, -(-height // r), -(-width // r), requires_grad=True)
        for c, r in zip(CHANNELS, REDUCTIONS, strict=True)
    ]


def test_the_sum_of_scores_is_the_sum_of_every_level_enlarged_by_itself():
    network, given = decoder("sum", "each"), features()
    scored = [project(x) for project, x in zip(network.projections, given, strict=True)]
    expected = sum(F.interpolate(x, scale_factor=float(r)) for x, r in zip(scored, REDUCTIONS, strict=True))
    torch.testing.assert_close(network(given, {}), expected)
    assert sum(p.numel() for p in network.parameters()) == sum(2 * c + 2 for c in CHANNELS)


def test_scores_side_by_side_can_be_their_sum_and_more():
    added, beside, given = decoder("sum", "each"), decoder("concatenate", "each"), features()
    beside.load_state_dict(added.state_dict(), strict=False)
    for mix in beside.mixes:
        mix.weight.data = torch.cat([torch.eye(2), torch.eye(2)], 1)[..., None, None]
        nn.init.zeros_(mix.bias)
    torch.testing.assert_close(beside(given, {}), added(given, {}))


@pytest.mark.parametrize(("fusion", "seen"), [("sum", 6), ("concatenate", 12)])
def test_predicting_once_convolves_what_was_fused_and_scores_the_last(fusion, seen):
    network = decoder(fusion, "end")
    assert [mix[0].in_channels for mix in network.mixes] == [seen, seen]
    assert (network.predict.in_channels, network.predict.out_channels) == (6, 2)


@pytest.mark.parametrize("fusion", ["sum", "concatenate"])
@pytest.mark.parametrize("scored", ["each", "end"])
def test_every_level_matters_at_odd_sizes_too(fusion, scored):
    network, given = decoder(fusion, scored), features(13, 7)
    out = network(given, {})
    assert out.shape == (2, network.channels, 13, 7)
    out.square().sum().backward()
    assert all(feature.grad.any() for feature in given)


def test_other_pyramids_are_refused():
    with pytest.raises(ValueError, match=r"goes from each level to the next by a whole factor, .* ÷2, ÷3, ÷6"):
        decoder("sum", "end", reductions=(2, 3, 6))
