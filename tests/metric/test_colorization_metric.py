import math

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from src.data.description import Description
from src.data.gamut import bins
from src.data.lab import lab
from src.metric.colorization import SCORES, colorfulness
from src.metric.suite import colorization
from src.run.combination.score import _SCORES as KNOWN


@pytest.fixture(scope="module")
def case() -> tuple[Tensor, Tensor]:
    """Answers [3 2 24 32] and targets [3 3 24 32], smooth and half as colourful as the target."""
    draw = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, 3, 6, 8, generator=draw)
    target = lab(torch.nn.functional.interpolate(coarse, scale_factor=4, mode="bilinear"))
    return target[:, 1:] / 2 + 3 * torch.randn(3, 2, 24, 32, generator=draw), target


def scores(*batches: tuple[Tensor, Tensor]) -> dict[str, float]:
    suite = colorization(Description(("image",)))
    for batch in batches:
        suite.update(*batch)
    return {name: value.item() for name, value in suite.compute().items()}


def test_every_score_is_what_its_definition_and_scikit_image_say(case):
    found = scores(case)
    answer, target = (part.double().numpy() for part in case)
    distance = np.sqrt(((answer - target[:, 1:]) ** 2).sum(1))
    thresholds = np.linspace(0, 150, 15001)
    assert found["auc"] == pytest.approx(np.mean([(distance <= t).mean() for t in thresholds]), abs=1e-4)
    place = bins(case[1][:, 1:]).numpy()
    each = [np.clip(1 - distance[place == label] / 150, 0, 1).mean() for label in np.unique(place)]
    assert found["auc_rebalanced"] == pytest.approx(np.mean(each), abs=1e-9)
    assert found["rmse_ab"] == pytest.approx(np.sqrt(((answer - target[:, 1:]) ** 2).mean()), rel=1e-6)
    colored = np.concatenate([target[:, :1], answer], 1)
    images = [tuple(lab2rgb(np.moveaxis(part, 0, -1)) for part in pair) for pair in zip(colored, target, strict=True)]
    psnr = [peak_signal_noise_ratio(true, made, data_range=1) for made, true in images]
    assert found["psnr"] == pytest.approx(np.mean(psnr), abs=0.02)
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": -1}
    ssim = [structural_similarity(true, made, data_range=1, **window) for made, true in images]
    assert found["ssim"] == pytest.approx(np.mean(ssim), abs=1e-3)
    assert found["pixels"] == 3 * 24 * 32
    assert next(iter(found)) == "auc"


def test_colourfulness_is_the_published_formula():
    image = np.random.default_rng(0).random((3, 10, 12)) * np.array([1.0, 0.6, 0.3])[:, None, None]
    red, green, blue = 255 * image
    first, second = red - green, 0.5 * (red + green) - blue
    spread, mean = math.hypot(first.std(), second.std()), math.hypot(first.mean(), second.mean())
    assert colorfulness(torch.from_numpy(image)[None]).item() == pytest.approx(spread + 0.3 * mean)
    assert colorfulness(torch.full((1, 3, 4, 4), 0.3)).item() == 0


def test_grey_is_worth_less_than_the_truth_and_not_colourful(case):
    _, target = case
    perfect, grey = scores((target[:, 1:], target)), scores((torch.zeros_like(target[:, 1:]), target))
    assert perfect["auc"] == perfect["auc_rebalanced"] == perfect["ssim"] == 1
    assert perfect["rmse_ab"] == 0
    assert perfect["psnr"] == pytest.approx(10 * math.log10(12 * 255**2))  # exact counts as rounded to 8 bits
    assert grey["colorfulness"] < 0.1 < perfect["colorfulness"]
    assert all(grey[name] < perfect[name] for name in ("auc", "auc_rebalanced", "psnr", "ssim"))
    assert grey["auc_rebalanced"] < grey["auc"]  # the far colours are the rare ones


def test_an_error_beyond_150_counts_as_150():
    target = lab(torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1))
    found = scores((torch.tensor([-100.0, 100.0]).view(1, 2, 1, 1), target))
    assert found["auc"] == found["auc_rebalanced"] == 0
    assert math.isnan(found["ssim"])  # its window does not fit


def test_batches_and_processes_add_up(case):
    answer, target = case
    whole = colorization(Description(("image",)))
    whole.update(answer, target)
    parts = [colorization(Description(("image",))) for _ in range(2)]
    parts[0].update(answer[:1], target[:1])
    parts[1].update(answer[1:2], target[1:2])
    parts[1].update(answer[2:, :, :10], target[2:, :, :10])  # too low for SSIM
    parts[1].update(answer[2:, :, 10:], target[2:, :, 10:])
    for name, metric in whole.items(keep_base=True):
        merged = [one + two for one, two in zip(*(_states(part[name]) for part in parts), strict=True)]
        for one, two, state in zip(merged, _states(metric), ("errors", "pixels", "sums", "images"), strict=True):
            if state in ("errors", "pixels"):
                torch.testing.assert_close(one, two, rtol=1e-12, atol=0)
            assert metric._reductions[state] is torch.sum or metric._reductions[state].__name__ == "dim_zero_sum"
            assert one.dtype == (torch.int64 if state in ("pixels", "images") else torch.float64)
    assert merged[3].tolist() == [4, 3]


def _states(metric) -> list[Tensor]:
    return [getattr(metric, name) for name in ("errors", "pixels", "sums", "images")]


def test_one_state_serves_all_scores(case):
    suite = colorization(Description(("image",)))
    suite.update(*case)
    suite.update(*case)
    assert len(suite.compute_groups) == 1


def test_nothing_to_score_is_nan_and_unequal_sizes_are_refused(case):
    answer, target = case
    nothing = [torch.zeros(size, dtype=torch.float64) for size in (313, 313, 4, 2)]
    assert all(score(*nothing).isnan() for name, score in SCORES.items() if name != "pixels")
    with pytest.raises(ValueError, match="sizes differ"):
        scores((answer[..., :5], target))


def test_autocast_changes_nothing(case):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = scores(case)
    assert inside == scores(case)


def test_what_the_monitor_check_knows_is_what_the_suite_computes():
    assert {"score", "loss", *colorization(Description(("image",)))} == set(KNOWN["src.task.colorization.Colorization"])


def test_a_name_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="auc"):
        colorization(Description(("image",)), extra={"auc": colorization(Description(("image",)))["auc"]})
