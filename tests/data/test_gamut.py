import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree
from skimage.color import rgb2lab

from src.data.gamut import annealed_mean, bins, centres, code, encoding, reached, smoothed

# Of the published 313: the first and the last b by a.
PUBLISHED = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100), -30: (-50, 100),
    -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90), 30: (-90, 90), 40: (-100, 90),
    50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70), 90: (-110, 70), 100: (-90, 0),
}  # fmt: skip


@pytest.fixture(scope="module")
def cube() -> np.ndarray:
    """a and b [n 2] of sRGB colours of 8 bits, every third level of each channel."""
    level = np.arange(0, 256, 3) / 255
    return rgb2lab(np.stack(np.meshgrid(level, level, level), -1))[..., 1:].reshape(-1, 2)


def test_the_bins_are_what_a_search_around_every_colour_finds(cube):
    axis = np.arange(-150, 151, 10.0)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    found = grid[np.unique(cKDTree(grid).query(cube, 5)[1])]
    assert len(found) == 322
    np.testing.assert_array_equal(reached().numpy(), found)
    holding = {tuple(cell) for cell in 10 * np.unique((cube / 10).round(), axis=0)}
    assert len(holding) == 261
    assert holding <= {tuple(centre) for centre in centres().tolist()}


def test_the_bins_are_the_published_ones_in_their_order():
    rows = [(a, b) for a, (first, last) in PUBLISHED.items() for b in range(first, last + 1, 10)]
    assert len(rows) == 313
    assert centres().tolist() == [list(map(float, row)) for row in rows]


def test_the_lookup_is_the_search(cube):
    ab = torch.from_numpy(cube[:: len(cube) // 500]).float().round()
    distance, nearest = cKDTree(centres().numpy()).query(ab.numpy(), 5)
    index, share = (table[code(ab.T[None, :, :, None]).flatten()] for table in encoding())
    weight = np.exp(-(distance**2) / (2 * 5.0**2))
    np.testing.assert_allclose(share.numpy(), weight / weight.sum(1, keepdims=True), atol=1e-5)
    far = centres()[index].sub(ab[:, None]).norm(dim=-1)  # of equally near ones any will do
    np.testing.assert_allclose(far.numpy(), distance, atol=1e-3)
    assert (nearest[:, 0] == index[:, 0].numpy()).mean() > 0.8


def test_colours_are_rounded_before_they_are_looked_up():
    ab = torch.tensor([[[[0.4, -12.6]], [[-0.4, 300.0]]]])
    assert code(ab).tolist() == [[[128 * 256 + 128, 115 * 256 + 255]]]
    assert centres()[bins(torch.tensor([[[[34.0]], [[-56.0]]]])).item()].tolist() == [30.0, -60.0]


@pytest.mark.parametrize("temperature", [0, 0.05, 0.38, 1])
def test_one_hot_is_exactly_its_centre(temperature):
    logits = torch.where(torch.eye(313, dtype=torch.bool)[None, :, None], 0.0, -1e4)  # a bin per column
    assert torch.equal(annealed_mean(logits, temperature)[0, :, 0].T, centres())


def test_the_mean_is_sharpened_to_the_mode():
    draw = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 313, 3, 4, generator=draw)
    p = logits.double().softmax(1)
    mean = torch.einsum("bkhw,kc->bchw", p, centres().double())
    torch.testing.assert_close(annealed_mean(logits, 1).double(), mean, atol=1e-3, rtol=1e-4)
    sharp = p ** (1 / 0.38)
    sharper = torch.einsum("bkhw,kc->bchw", sharp / sharp.sum(1, keepdim=True), centres().double())
    torch.testing.assert_close(annealed_mean(logits, 0.38).double(), sharper, atol=1e-3, rtol=1e-4)
    mode = centres()[logits.argmax(1)].movedim(-1, 1)
    assert torch.equal(annealed_mean(logits, 0), mode)
    torch.testing.assert_close(annealed_mean(logits, 1e-4), mode)


def test_saturation_grows_as_the_temperature_falls():
    logits = -(centres() - torch.tensor([60.0, 40.0])).square().sum(1).sqrt() / 20  # most probably a red
    strengths = [annealed_mean(logits[None, :, None, None], t).norm().item() for t in (1, 0.7, 0.38, 0.2, 0.1, 0)]
    assert strengths == sorted(strengths)
    assert strengths[0] < 0.9 * strengths[-1]
    assert strengths[-1] == pytest.approx(52**0.5 * 10)


def test_autocast_does_not_round_colours():
    logits = torch.randn(1, 313, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(annealed_mean(logits, 0.38), annealed_mean(logits.clone(), 0.38))
        inside = annealed_mean(logits, 0.38)
    torch.testing.assert_close(inside, annealed_mean(logits, 0.38))


def test_tables_are_plain_whoever_asks_first():
    with torch.inference_mode(), torch.device("meta"):
        index, share = encoding(3, 7.0)
    assert index.device.type == share.device.type == "cpu"
    assert not index.is_inference()


def test_counted_pixels_become_a_smooth_distribution():
    pixels = torch.zeros(256 * 256, dtype=torch.int64)
    pixels[code(torch.zeros(1, 2, 1, 1))] = 10
    share = smoothed(pixels)
    assert share.sum().item() == pytest.approx(1)
    grey = int((centres() == 0).all(1).nonzero())
    assert share.argmax() == grey
    assert int((share > 0).sum()) == 5  # grey and its four neighbours, at a distance of 10 and so exp(-2) each
    assert share[grey].item() == pytest.approx(1 / (1 + 4 * np.exp(-2)), abs=1e-4)
    with pytest.raises(ValueError, match="no pixel at all"):
        smoothed(torch.zeros(256 * 256, dtype=torch.int64))
