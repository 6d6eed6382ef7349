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


def test_half_way_between_four_cells_stands_their_mean():
    """R at u = v = ½, which even scales have no cell at and odd ones between two cells only with aligned corners."""
    x = torch.tensor([[[[1.0, 2], [5, 9]]]])
    middle = Bilinear(channels=1, scale=4)(x, (8, 8))[0, 0, 3:5, 3:5]  # symmetric around u = v = ½
    torch.testing.assert_close(middle.mean(), x.mean())
    corners = torch.nn.functional.interpolate(x, size=(3, 3), mode="bilinear", align_corners=True)
    torch.testing.assert_close(corners[0, 0, 1, 1], x.mean())
    odd = Bilinear(channels=1, scale=3)(x, (6, 6))[0, 0]
    torch.testing.assert_close(odd[1, 1], x[0, 0, 0, 0])  # cell centres keep their values


def test_an_odd_size_is_cut_not_stretched():
    x = torch.rand(1, 2, 5, 5)
    bilinear = Bilinear(channels=2, scale=4)
    assert torch.equal(bilinear(x, (17, 19)), bilinear(x, (20, 20))[..., :17, :19])
