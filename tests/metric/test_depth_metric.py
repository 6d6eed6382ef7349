"""Scores of depth against the formulas as papers print them, one image after the other, in numpy."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from src.data.description import Description
from src.metric import suite
from src.metric.depth import SCORES, Depth

SCENES = Description(("image", "depth"))


def published(p: np.ndarray, g: np.ndarray) -> dict[str, float]:
    """The scores of predictions and truths at the scored pixels, a vector each."""
    ratio, d = np.maximum(p / g, g / p), np.log(p) - np.log(g)
    return {
        **{f"delta{k}": (ratio < 1.25**k).mean() for k in (1, 2, 3)},
        "abs_rel": (np.abs(p - g) / g).mean(),
        "sq_rel": ((p - g) ** 2 / g).mean(),
        "rmse": np.sqrt(((p - g) ** 2).mean()),
        "rmse_log": np.sqrt((d**2).mean()),
        "log10": np.abs(np.log10(p) - np.log10(g)).mean(),
        "silog": 100 * np.std(d),
    }


@pytest.fixture
def maps() -> tuple[Tensor, Tensor]:
    """Depths of 5 images, predicted and true, up to 14 m; 0 unknown, and of the last image nothing is known."""
    generator = torch.Generator().manual_seed(0)
    target = 0.5 + 13.5 * torch.rand(5, 1, 12, 16, generator=generator)
    output = target * torch.exp(0.4 * torch.randn(target.shape, generator=generator))
    target[torch.rand(target.shape, generator=generator) < 0.3] = 0
    target[4] = 0
    return output, target


def pairs(output: Tensor, target: Tensor, cap: tuple[float, float] = (1e-3, 10.0)) -> list[tuple[np.ndarray, ...]]:
    """Predictions and truths at the pixels of each image whose true depth is within the cap."""
    found = []
    for p, g in zip(output.double().numpy(), target.double().numpy(), strict=True):
        known = (g > 0) & (g >= cap[0]) & (g <= cap[1])
        if known.any():
            found.append((p[known].clip(*cap), g[known]))
    return found


def scored(output: Tensor, target: Tensor, batch: int = 2, **options) -> dict[str, float]:
    metric = Depth(**options)
    for part in zip(output.split(batch), target.split(batch), strict=True):
        metric.update(*part)
    return {name: float(value) for name, value in metric.compute().items()}


@pytest.mark.parametrize("cap", [(1e-3, 10.0), (2.0, 80.0)])
def test_by_image_scores_are_means_over_the_images_that_know_something(maps, cap):
    each = [published(p, g) for p, g in pairs(*maps, cap)]
    assert len(each) == 4
    expected = {name: np.mean([scores[name] for scores in each]) for name in SCORES}
    found = scored(*maps, cap=cap)
    assert found.pop("pixels") == sum(len(g) for _, g in pairs(*maps, cap))
    assert found == pytest.approx(expected, rel=1e-5)


def test_by_pixel_scores_are_those_of_all_pixels_together(maps):
    p, g = (np.concatenate(parts) for parts in zip(*pairs(*maps), strict=True))
    found = scored(*maps, averaging="pixel")
    assert found.pop("pixels") == len(g)
    assert found == pytest.approx(published(p, g), rel=1e-5)
    assert found["rmse"] != pytest.approx(scored(*maps)["rmse"], rel=1e-4)


def test_a_perfect_prediction(maps):
    _, target = maps
    found = scored(torch.where(target > 0, target, 3.0), target)
    assert [found[name] for name in SCORES] == [1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_a_ratio_of_just_the_threshold_is_too_far():
    output, target = torch.tensor([1.25, 1.0, 1.2499999, 1.5625]).view(1, 1, 2, 2), torch.tensor([1.0, 1.25, 1.0, 1.0])
    found = scored(output, target.view(1, 1, 2, 2))
    assert [found[f"delta{k}"] for k in (1, 2, 3)] == [0.25, 0.75, 1.0]


def test_a_common_factor_is_not_seen_by_silog(maps):
    _, target = maps
    found = [scored(factor * target.clamp_max(3), target.clamp_max(3), cap=(1e-3, 80.0)) for factor in (1.0, 1.7)]
    assert found[1]["silog"] == pytest.approx(0, abs=1e-3)
    assert found[1]["rmse_log"] == pytest.approx(math.log(1.7), rel=1e-5)


def test_what_is_predicted_where_nothing_is_scored_does_not_matter(maps):
    output, target = maps
    unscored = (target == 0) | (target > 10)
    for wild in (-5.0, math.nan, math.inf):
        assert scored(torch.where(unscored, wild, output), target) == scored(output, target)


def test_predictions_end_at_the_cap():
    target = torch.full((1, 1, 2, 2), 10.0)
    found = scored(torch.tensor([1e9, math.inf, 10.0, 11.0]).view(1, 1, 2, 2), target)
    assert found["abs_rel"] == 0
    assert scored(torch.full((1, 1, 2, 2), -3.0), target, cap=(2.0, 10.0))["rmse"] == 8


def test_a_prediction_that_is_no_number_is_seen(maps):
    output, target = maps
    target[0, 0, 0, 0], output[0, 0, 0, 0] = 5.0, math.nan
    found = scored(output, target)
    assert math.isnan(found["abs_rel"])
    assert not math.isnan(found["delta1"])
    output[0, 0, 0, 0] = 1e-3
    assert found["delta1"] == scored(output, target)["delta1"]


def test_nothing_known_is_not_a_score():
    found = scored(torch.ones(2, 1, 3, 3), torch.zeros(2, 1, 3, 3))
    assert all(math.isnan(found[name]) for name in SCORES)
    assert found["pixels"] == 0


@pytest.mark.parametrize("averaging", ["image", "pixel"])
def test_batches_and_processes_add_up(maps, averaging):
    whole = Depth(averaging=averaging)
    whole.update(*maps)
    parts = [Depth(averaging=averaging) for _ in range(3)]  # as many processes, with unequal batches
    for metric, (first, last) in zip(parts, [(0, 1), (1, 2), (2, 5)], strict=True):
        metric.update(maps[0][first:last], maps[1][first:last])
    for name, state in whole.metric_state.items():  # gathered and reduced as torchmetrics does it
        gathered = torch.stack([metric.metric_state[name] for metric in parts])
        torch.testing.assert_close(whole._reductions[name](gathered), state, rtol=1e-14, atol=0)


def test_a_crop_leaves_the_border_out():
    target = torch.ones(1, 1, 480, 640)
    output = torch.full_like(target, 2.0)
    output[..., 45:471, 41:601] = 1.0
    assert scored(output, target, crop="eigen") | {"pixels": 0} == scored(target, target) | {"pixels": 0}
    assert scored(output, target, crop="eigen")["pixels"] == 426 * 560
    assert scored(output, target)["delta1"] == pytest.approx(426 * 560 / (480 * 640))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cap": (10.0, 1.0)}, r"cap=\[10.0, 1.0\] is no range of depths"),
        ({"cap": (0.0, 1.0)}, "0 < low < high"),
        ({"crop": "kitti"}, "crop='kitti': say one of none, eigen, garg"),
        ({"align": "mean"}, "align='mean': say one of none, median, least_squares"),
        ({"averaging": "batch"}, "averaging='batch': say one of image, pixel"),
    ],
)
def test_what_cannot_be_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        suite.depth(SCENES, **options)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="shape"):
        Depth().update(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 3))


def test_the_suite_has_the_headline_first_and_metrics_of_ones_own(maps):
    from torchmetrics.regression import MeanAbsoluteError

    collection = suite.depth(SCENES, extra={"mae": MeanAbsoluteError()})
    collection.update(*maps)
    assert list(collection.compute()) == [*SCORES, "pixels", "mae"]
    with pytest.raises(ValueError, match="may not be called rmse"):
        suite.depth(SCENES, extra={"rmse": MeanAbsoluteError()})
