import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from skimage.segmentation import slic

from src.data.camvid import CamVid
from src.data.superpixels import superpixels
from src.data.voc import VOC
from src.metric.superpixels import achievable_accuracy, undersegmentation_error


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    channels=st.sampled_from([1, 3, 4]),
    count=st.integers(1, 80),
    compactness=st.floats(0.5, 100),
    grain=st.integers(1, 8),
)
def test_every_pixel_is_in_one_of_about_so_many_connected_regions(seed, size, channels, count, compactness, grain):
    noise = np.random.default_rng(seed).random((channels, *size), np.float32)
    image = noise.repeat(grain, 1).repeat(grain, 2)[:, : size[0], : size[1]]
    found = superpixels(torch.from_numpy(image), count, compactness).numpy()
    n = found.max() + 1
    assert found.shape == size
    assert np.unique(found).tolist() == list(range(n))
    assert all(label(found == one)[1] == 1 for one in range(n))
    wanted = min(count, size[0] * size[1])
    assert wanted / 3 <= n <= 4 * wanted  # noise that no region follows; real pictures are far nearer


@pytest.mark.parametrize(("size", "count"), [((60, 90), 54), ((61, 47), 20), ((5, 300), 10), ((7, 7), 1), ((2, 2), 9)])
def test_without_edges_they_are_the_grid(size, count):
    found = superpixels(torch.full((3, *size), 0.5), count)
    areas = torch.bincount(found.flatten())
    assert len(areas) == pytest.approx(min(count, size[0] * size[1]), rel=0.2)
    assert areas.max() <= 2 * areas.min()


def test_they_keep_to_an_edge_that_cuts_the_grid():
    image = torch.zeros(3, 40, 40)
    image[:, :, 17:] = 0.8
    target = (image[0] > 0).long()
    assert achievable_accuracy(superpixels(image, 16), target) == 1
    grid = superpixels(torch.zeros(3, 40, 40), 16)
    assert achievable_accuracy(grid, target) < 0.95


def test_compactness_outweighs_colour():
    noise = torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    image = torch.nn.functional.interpolate(noise, (60, 60), mode="bilinear")[0]
    border = [_borders(superpixels(image, 36, m)) for m in (5, 40, 10_000)]
    assert border[0] > border[1] > border[2]
    assert torch.equal(superpixels(image, 36, 10_000), superpixels(torch.zeros(3, 60, 60), 36))  # the grid


def _borders(found):
    return int((found[1:] != found[:-1]).sum() + (found[:, 1:] != found[:, :-1]).sum())


@pytest.mark.parametrize(("count", "compactness"), [(0, 10), (10, 0)])
def test_what_must_be_positive(count, compactness):
    with pytest.raises(ValueError, match="both must be positive"):
        superpixels(torch.zeros(3, 4, 4), count, compactness)


@pytest.mark.parametrize("count", [100, 400])
def test_real_pictures_beside_another_implementation(shared, count):
    """At least as true to the borders as scikit-image's at the same number of superpixels."""
    samples = [CamVid(shared / "camvid", "val")[40], VOC(shared / "voc-mini", "val")[2]]
    for sample in samples:
        image = torch.as_tensor(sample.image) / 255
        ours = superpixels(image, count)
        n = int(ours.max()) + 1
        assert n == pytest.approx(count, rel=0.15)
        tries = [slic(image.permute(1, 2, 0).numpy(), k, start_label=0) for k in (n, int(1.15 * n), int(1.35 * n))]
        theirs = torch.from_numpy(min(tries, key=lambda found: abs(int(found.max()) + 1 - n)))
        assert int(theirs.max()) + 1 == pytest.approx(n, rel=0.2)
        mask = torch.as_tensor(sample.mask)
        assert achievable_accuracy(ours, mask) > achievable_accuracy(theirs, mask) - 0.01
        assert undersegmentation_error(ours, mask) < undersegmentation_error(theirs, mask) + 0.02
