"""Background becomes the mean of the cells that were learned from."""

import torch

from src.model.detector.foreground import Foreground


def test_background_is_the_mean_and_foreground_what_it_was():
    foreground, cells = Foreground(2, momentum=1.0), torch.rand(3, 2, 4, 4)
    inside = torch.zeros(3, 1, 4, 4)
    inside[0, :, 1:3, 2] = 1
    seen = foreground(cells, inside)
    mean = cells.mean((0, 2, 3))
    assert seen[0, :, 1:3, 2].equal(cells[0, :, 1:3, 2])
    torch.testing.assert_close(seen[1], mean[:, None, None].expand(2, 4, 4))
    torch.testing.assert_close(seen[0, :, 0], mean[:, None].expand(2, 4))


def test_the_mean_is_learned_in_training_alone_a_share_at_a_time():
    foreground, inside = Foreground(1), torch.zeros(2, 1, 2, 2)
    for expected in (0.1, 0.19):
        foreground(torch.ones(2, 1, 2, 2), inside)
        torch.testing.assert_close(foreground.mean, torch.tensor([expected]))
    foreground(torch.ones(0, 1, 2, 2), inside[:0])
    seen = foreground.eval()(torch.ones(2, 1, 2, 2), inside)
    torch.testing.assert_close(foreground.mean, torch.tensor([0.19]))
    torch.testing.assert_close(seen, torch.full((2, 1, 2, 2), 0.19))
    assert "mean" in foreground.state_dict()
