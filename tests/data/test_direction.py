import math

import torch
from torch.nn import functional as F

from src.data.direction import angle, apart


def column(*vectors):
    return torch.tensor(vectors, dtype=torch.float32).T[None, :, :, None]


def test_an_angle_is_the_arccos_of_the_cosine_whatever_the_lengths():
    draw = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 4, 3, 5, 6, generator=draw)
    expected = F.cosine_similarity(one.double(), other.double(), dim=1).acos()
    torch.testing.assert_close(angle(one, 7 * other).double(), expected, rtol=0, atol=1e-6)


def test_small_angles_keep_their_digits_where_an_arccos_of_single_precision_has_none():
    one = column((0, 0, -1), (0, 0, -1), (0, 0, -1))
    tiny = [1e-4, 1e-3, math.pi - 1e-3]
    other = column(*((math.sin(turn), 0, -math.cos(turn)) for turn in tiny))
    torch.testing.assert_close(angle(one, other).flatten(), torch.tensor(tiny), rtol=1e-3, atol=2e-7)


def test_no_direction_is_at_a_right_angle():
    assert angle(column((0, 0, 0), (0, 0, -1)), column((0, 0, -1), (0, 0, 0))).flatten().rad2deg().tolist() == [90, 90]


def test_what_lies_across_is_perpendicular_and_as_long_as_the_sine():
    draw = torch.Generator().manual_seed(1)
    one, other = (F.normalize(vectors, dim=1) for vectors in torch.randn(2, 1, 3, 4, 4, generator=draw))
    cosine, across = apart(one, other)
    torch.testing.assert_close((one * across).sum(1), torch.zeros(1, 4, 4), rtol=0, atol=1e-6)
    torch.testing.assert_close(across.norm(dim=1) ** 2 + cosine[:, 0] ** 2, torch.ones(1, 4, 4))
