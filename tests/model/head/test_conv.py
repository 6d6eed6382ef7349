"""The 1×1 head: what its prior and its dropout do."""

import pytest
import torch

from src.model.head.conv import Conv


def test_a_prior_is_the_probability_that_outputs_start_from():
    head = Conv(prior=0.01, in_channels=3, out_channels=4)
    torch.testing.assert_close(head(torch.zeros(1, 3, 2, 2)).sigmoid(), torch.full((1, 4, 2, 2), 0.01))


@pytest.mark.parametrize("prior", [0.0, 1.0, -3.0])
def test_a_prior_that_is_no_probability_is_refused(prior):
    with pytest.raises(ValueError, match=r"prior=.* is no probability"):
        Conv(prior=prior, in_channels=3, out_channels=4)


def test_dropout_drops_whole_channels_in_training_only():
    torch.manual_seed(0)
    head = Conv(dropout=0.5, in_channels=64, out_channels=1)
    x = torch.ones(1, 64, 4, 4)
    dropped = head.train()(x)
    assert dropped.unique().numel() == 1  # the same channels everywhere
    assert not torch.allclose(dropped, head.eval()(x))
