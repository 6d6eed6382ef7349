import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from src.data.lab import lab, srgb


@pytest.fixture
def colors() -> torch.Tensor:
    """[2 3 32 64]: a cube of 16³ colours, black, white and the primaries among them."""
    level = torch.linspace(0, 1, 16)
    return torch.cartesian_prod(level, level, level).T.reshape(3, 2, 32, 64).movedim(1, 0).contiguous()


def test_it_is_scikit_images_but_that_grey_is_without_colour(colors):
    theirs = rgb2lab(colors.movedim(1, -1).double().numpy())
    np.testing.assert_allclose(lab(colors).movedim(1, -1), theirs, atol=0.01)  # it rounds the white of D65
    grey = torch.linspace(0, 1, 256).expand(3, 1, 256)
    assert lab(grey)[1:].abs().max() < 1e-3


def test_white_black_and_red():
    corners = torch.tensor([[1.0, 1, 1], [0, 0, 0], [1, 0, 0]]).T[:, None]
    expected = torch.tensor([[100.0, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]]).T[:, None]
    torch.testing.assert_close(lab(corners), expected, atol=0.01, rtol=0)


def test_there_and_back_is_where_one_was(colors):
    torch.testing.assert_close(srgb(lab(colors)), colors, atol=1e-4, rtol=0)
    precise = colors.double()
    torch.testing.assert_close(srgb(lab(precise)), precise, atol=1e-9, rtol=0)


def test_back_is_scikit_images_also_outside_of_srgb():
    draw = torch.Generator().manual_seed(0)
    inside = torch.rand(3, 40, 50, generator=draw, dtype=torch.float64)
    shifted = lab(inside) + torch.tensor([0.0, 30, -30], dtype=torch.float64).view(3, 1, 1)
    theirs = lab2rgb(shifted.movedim(0, -1).numpy())
    cut = (theirs == 0) | (theirs == 1)
    ours = srgb(shifted).movedim(0, -1).numpy()
    assert 0.1 < cut.mean() < 0.9
    blue = (lab(inside)[0] + 16) / 116 - shifted[2] / 200 < 0  # there scikit-image cuts earlier, and warns
    assert not blue.any()
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_the_gradient_is_finite_everywhere():
    image = torch.tensor([[0.0, 1.0, 0.04, 0.5]] * 3)[:, None].requires_grad_()
    lab(image).sum().backward()
    assert image.grad.isfinite().all()
    extreme = torch.tensor([[0.0, 100.0, 50.0], [0.0, 0.0, 120.0], [0.0, 0.0, -120.0]])[:, None].requires_grad_()
    srgb(extreme).sum().backward()
    assert extreme.grad.isfinite().all()


def test_half_precision_is_not_forced_upon_it(colors):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(lab(colors), lab(colors.clone()))
        assert lab(colors).dtype == torch.float32
        torch.testing.assert_close(srgb(lab(colors)), colors, atol=1e-4, rtol=0)
