"""Bilinear upsampling against the formula of four neighbours."""

import torch

from src.model.upsample.bilinear import Bilinear


def test_every_cell_is_the_formula_of_its_four_neighbours():
    x = torch.tensor([[[[1.0, 2], [5, 9]]]])
    out = Bilinear(channels=1, scale=2)(x, (4, 4))[0, 0]
    (nw, ne), (sw, se) = x[0, 0]
    for row, v in ((1, 0.75), (2, 0.25)):  # v points up, u to the right
        for column, u in ((1, 0.25), (2, 0.75)):
            south, north = u * se + (1 - u) * sw, u * ne + (1 - u) * nw
            torch.testing.assert_close(out[row, column], v * north + (1 - v) * south)
    torch.testing.assert_close(out[0, 0], nw)


def test_an_odd_size_is_cut_not_stretched():
    x = torch.rand(1, 2, 5, 5)
    bilinear = Bilinear(channels=2, scale=4)
    assert torch.equal(bilinear(x, (17, 19)), bilinear(x, (20, 20))[..., :17, :19])
