"""Input statistics: RGB's own, and their average for everything else."""

import torch

from src.model.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalize


def test_rgb_is_normalised_channel_by_channel():
    image = torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1) + torch.tensor(IMAGENET_STD).view(1, 3, 1, 1)
    torch.testing.assert_close(Normalize(3)(image), torch.ones(1, 3, 1, 1))


def test_other_channels_get_the_average_statistics():
    mean, std = sum(IMAGENET_MEAN) / 3, sum(IMAGENET_STD) / 3
    for channels in (1, 4):
        image = torch.full((2, channels, 3, 3), mean - 2 * std)
        torch.testing.assert_close(Normalize(channels)(image), torch.full_like(image, -2))


def test_statistics_are_no_part_of_the_state():
    assert Normalize(3).state_dict() == {}
