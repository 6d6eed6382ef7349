from functools import partial

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.segmentation import find_boundaries
from torchmetrics.utilities import dim_zero_sum

from src.data.description import Description
from src.metric import suite
from src.metric.overlap import average, iou
from src.metric.trimap import Trimap, bands

WIDTHS = [1, 2, 4, 8]
CLASSES = Description(("image", "mask"), ("a", "b", "c"), ((0, 0, 0),) * 3)
OVERLAPPING = Description(("image", "mask"), ("a", "b", "c"), ((0, 0, 0),) * 3, multilabel=True)


def drawn(seed: int, count: int = 3, size: tuple[int, int] = (31, 42)) -> torch.Tensor:
    """Blobs of three classes and of unknown."""
    noise = np.random.default_rng(seed).normal(size=(count, 4, *size))
    smooth = np.stack([[ndimage.gaussian_filter(plane, 5) for plane in image] for image in noise])
    smooth[:, 3] -= 0.03  # less of it is unknown
    labels = smooth.argmax(1)
    return torch.from_numpy(np.where(labels == 3, 255, labels).astype(np.uint8))


def near(target: np.ndarray, width: int) -> np.ndarray:
    """scipy's chessboard distance to whatever is known and of another class."""
    found = np.zeros(target.shape, bool)
    for label in set(np.unique(target)) - {255}:
        others = (target != label) & (target != 255)
        if others.any():
            found |= (target == label) & (ndimage.distance_transform_cdt(~others, "chessboard") <= width)
    return found


def test_bands_are_scipys_chessboard_distance() -> None:
    target = drawn(0)
    assert (target == 255).any()
    for width, band in zip(WIDTHS, bands(target, WIDTHS), strict=True):
        expected = np.stack([near(mask, width) for mask in target.numpy()])
        assert 0 < expected.sum() < expected.size
        assert np.array_equal(band.numpy(), expected), width


def test_without_unknown_a_band_is_skimages_boundary_grown() -> None:
    target = drawn(1)
    target[target == 255] = 0
    for width, band in zip(WIDTHS, bands(target, WIDTHS), strict=True):
        for mask, found in zip(target.numpy(), band.numpy(), strict=True):
            line = find_boundaries(mask, connectivity=2, mode="thick")
            square = np.ones((2 * width - 1, 2 * width - 1))
            assert np.array_equal(found, ndimage.binary_dilation(line, square)), width


def test_a_boundary_with_the_unknown_is_none() -> None:
    target = torch.full((1, 5, 20), 1, dtype=torch.uint8)
    target[..., 10:] = 255
    assert not any(band.any() for band in bands(target, WIDTHS))
    target[..., 12:] = 254  # the last class there can be, beyond two unknown columns
    columns = [band[0].any(0).nonzero().flatten().tolist() for band in bands(target, [2, 3, 4])]
    assert columns == [[], [9, 12], [8, 9, 12, 13]]


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64])
def test_the_scores_are_miou_of_the_pixels_in_the_band(kind: torch.dtype) -> None:
    target, output = drawn(2).to(kind), drawn(3).to(kind)
    metric = Trimap(3, WIDTHS, partial(average, of=iou, absent="exclude"))
    metric.update(output, target)
    found = metric.compute()
    assert list(found) == ["trimap_1", "trimap_2", "trimap_4", "trimap_8"]
    for width in WIDTHS:
        band = np.stack([near(mask, width) for mask in target.byte().numpy()])
        said, true = output.numpy()[band], target.numpy()[band]
        each = [((said == c) & (true == c)).sum() / ((said == c) | (true == c)).sum() for c in range(3)]
        assert found[f"trimap_{width}"].item() == pytest.approx(np.mean(each), abs=1e-12)


def test_any_division_into_batches_and_processes_is_the_same() -> None:
    target, output = drawn(4, 5), drawn(5, 5)
    build = partial(Trimap, 3, WIDTHS, partial(average, of=iou, absent="exclude"))
    whole, parts, other = build(), build(), build()
    whole.update(output, target)
    parts.update(output[:1], target[:1])
    other.update(output[1:], target[1:])
    assert parts._reductions == {"counts": dim_zero_sum}
    parts.counts += other.counts  # what torchmetrics then does with the states of all processes
    assert {k: v.item() for k, v in whole.compute().items()} == {k: v.item() for k, v in parts.compute().items()}


def test_the_suite_names_each_width_after_the_headline() -> None:
    scores = suite.semantic(CLASSES, trimap=[1, 3])
    scores.update(drawn(3), drawn(2))
    found = scores.compute()
    assert next(iter(found)) == "miou"
    numbers = suite.flat(found, CLASSES)
    alone = Trimap(3, [1, 3], partial(average, of=iou, absent="exclude"))
    alone.update(drawn(3), drawn(2))
    expected = {name: value.item() for name, value in alone.compute().items()}
    assert {name: numbers[name] for name in ("trimap_1", "trimap_3")} == expected
    with pytest.raises(ValueError, match="extra metrics may not be called trimap_3"):
        suite.semantic(CLASSES, trimap=[1, 3], extra={"trimap_3": Trimap(3, [3], iou)})


def test_where_masks_overlap_each_class_has_boundaries_of_its_own() -> None:
    target = torch.stack([(drawn(seed) == 0).byte() for seed in range(3)], 1)
    output = torch.stack([(drawn(seed + 9) == 0).byte() for seed in range(3)], 1)
    target[:, :, :4] = 255
    scores = suite.semantic(OVERLAPPING, trimap=[2])
    scores.update(output, target)
    each = []
    for c in range(3):
        band = np.stack([near(mask, 2) for mask in target[:, c].numpy()])
        said, true = output[:, c].numpy()[band] == 1, target[:, c].numpy()[band] == 1
        each.append((said & true).sum() / (said | true).sum())
    assert scores.compute()["trimap_2"].item() == pytest.approx(np.mean(each), abs=1e-12)


def test_an_image_of_one_class_has_no_score() -> None:
    metric = Trimap(3, [1], partial(average, of=iou, absent="exclude"))
    metric.update(drawn(0), torch.zeros(3, 31, 42, dtype=torch.uint8))
    assert metric.compute()["trimap_1"].isnan()


@pytest.mark.parametrize("widths", [[], [0, 1], [2, 1], [1, 1]])
def test_widths_that_do_not_grow_are_refused(widths: list[int]) -> None:
    with pytest.raises(ValueError, match=r"trimap=.*: give growing whole numbers from 1 on"):
        Trimap(3, widths, iou)
