"""GroupNorm built from channels: its groups, and its independence of the batch."""

import pytest
import torch

from src.model.norm.group import Group


@pytest.mark.parametrize(("channels", "groups"), [(64, 4), (16, 1), (8, 1), (24, 3), (7, 7)])
def test_groups_have_16_channels_or_the_largest_common_divisor(channels, groups):
    assert Group(channels).num_groups == groups


def test_an_image_is_normalised_alone():
    norm, batch = Group(32), torch.rand(2, 32, 4, 4)
    torch.testing.assert_close(norm(batch)[:1], norm(batch[:1]))
    torch.testing.assert_close(norm(batch)[0, :16].mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
