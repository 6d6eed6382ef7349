"""Two pathways judge together: neither is blind, and VGG16's have as many numbers as its authors' layers."""

import pytest
import torch

from src.model.detector.pathways import Pathways


def test_vgg16s_pathways_are_its_two_layers_twice():
    """Maxima by two make 7² of 14² cells; 21 classes twice and 84 numbers of boxes see 8,192."""
    with torch.device("meta"):
        branch = Pathways(14, 4096, channels=512, out_channels=20)
    layers = (7 * 7 * 512 * 4096 + 4096) + (4096 * 4096 + 4096)
    assert layers == 119_545_856
    last = 2 * (8192 * 21 + 21) + (8192 * 84 + 84)
    assert sum(parameter.numel() for parameter in branch.parameters()) == 2 * layers + last == 240_124_030


@pytest.mark.parametrize("width", [6, None])
def test_each_answer_listens_to_box_and_mask(width):
    torch.manual_seed(0)
    branch = Pathways(4, width, channels=3, out_channels=2)
    cells = torch.rand(5, 3, 4, 4, requires_grad=True)
    masked = torch.rand(5, 3, 4, 4, requires_grad=True)
    said = branch(cells, masked)
    assert [part.shape for part in said] == [(5, 3), (5, 12), (5, 3)]
    for part in said:
        for seen in (cells, masked):
            (gradient,) = torch.autograd.grad(part.sum(), seen, retain_graph=True)
            assert gradient.flatten(1).any(1).all()


def test_the_maxima_by_two_are_what_the_layers_see():
    torch.manual_seed(0)
    branch = Pathways(4, 6, channels=3, out_channels=2)
    cells = torch.rand(2, 3, 4, 4)
    blurred = torch.nn.functional.max_pool2d(cells, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(branch(cells, cells), branch(blurred, blurred))
