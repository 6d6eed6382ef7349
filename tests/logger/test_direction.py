import pytest

from src.logger.direction import better
from src.metric import colorization, depth, normals, regression


@pytest.mark.parametrize(
    ("key", "side"),
    [
        ("val/score", "max"),
        ("best/test/miou", "max"),
        ("val/iou/loss", "min"),  # a class of that name is the price of names; no dataset here has one
        ("val/loss", "min"),
        ("train/loss", "min"),
        ("train/lr", None),
        ("train/images_per_second", None),
        ("epoch", None),
        ("val/depth/abs_rel", "min"),
        ("val/depth/delta1", "max"),
        ("val/normals/median_angle", "min"),
        ("val/colorfulness", None),
        ("test/pixels", None),
    ],
)
def test_a_side_is_known(key, side):
    assert better(key) == side


def test_every_error_of_every_task_is_better_when_small():
    errors = {"abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "mean_angle", "median_angle", "rmse_angle"}
    errors |= {"mae", "rmse_ab"}
    names = {*depth.SCORES, *normals.SCORES, *regression.SCORES, *colorization.SCORES}
    assert errors == {name for name in names if better(f"val/{name}") == "min"}
