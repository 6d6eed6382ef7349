from pathlib import Path

import pytest

from src.data import people
from src.data.coco_points import COCOPoints

FILE = Path("a.json")
CRANE = {"name": "crane", "keypoints": ["tip", "Left_wing", "right_wing", "left leg"], "skeleton": [[1, 2], [3, 1]]}


def test_what_a_category_says() -> None:
    points = COCOPoints.of([{"name": "sky"}, CRANE, {**CRANE, "name": "heron"}], FILE)
    assert points.names == ("tip", "Left_wing", "right_wing", "left leg")
    assert (points.flip_pairs, points.skeleton) == (((1, 2),), ((0, 1), (2, 0)))
    assert points.sigmas == (0.05,) * 4
    assert COCOPoints.of([{"name": "sky"}], FILE) == COCOPoints()


def test_cocos_own_keypoints_have_cocos_own_sigmas() -> None:
    points = COCOPoints.of([{"name": "person", "keypoints": list(people.KEYPOINTS)}], FILE)
    assert (points.sigmas, points.flip_pairs, points.skeleton) == (people.SIGMAS, people.FLIP_PAIRS, ())


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name": "frog", "keypoints": ["nose"]}, "the categories 'crane' and 'frog' have different keypoints"),
        ({**CRANE, "skeleton": []}, None),
    ],
)
def test_all_objects_need_the_same_keypoints(other: dict, said: str | None) -> None:
    if said is None:
        assert COCOPoints.of([CRANE, other], FILE).skeleton == ((0, 1), (2, 0))
        return
    with pytest.raises(ValueError, match=rf"a\.json: {said}"):
        COCOPoints.of([CRANE, other], FILE)


@pytest.mark.parametrize("limb", [[0, 1], [1, 5], [1], [1, 2, 3]])
def test_a_limb_that_leads_to_no_keypoint(limb: list[int]) -> None:
    with pytest.raises(ValueError, match=r"a\.json: the skeleton holds .* numbers from 1 to 4"):
        COCOPoints.of([{**CRANE, "skeleton": [[1, 2], limb]}], FILE)


def test_two_keypoints_of_one_name() -> None:
    with pytest.raises(ValueError, match="'crane' has two keypoints of one name"):
        COCOPoints.of([{"name": "crane", "keypoints": ["tip", "tip"]}], FILE)


def test_other_sigmas() -> None:
    points = COCOPoints.of([CRANE], FILE)
    assert points.measured(None) == points
    assert points.measured(0.1).sigmas == (0.1,) * 4
    assert points.measured([0.1, 0.2, 0.3, 0.4]).sigmas == (0.1, 0.2, 0.3, 0.4)
    for wrong in ([0.1], 0.0):
        with pytest.raises(ValueError, match=r"data\.sigmas=.*each of 4 keypoints: tip, Left_wing"):
            points.measured(wrong)
