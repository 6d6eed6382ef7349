import json
from pathlib import Path

import pytest
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

from src.data.people import FLIP_PAIRS, KEYPOINTS, SIGMAS, SKELETON


def test_the_names_and_their_order_are_those_of_torchvisions_weights():
    assert list(KEYPOINTS) == KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.meta["keypoint_names"]


def test_the_sigmas_are_those_of_cocos_own_evaluation():
    params = pytest.importorskip("pycocotools.cocoeval").Params(iouType="keypoints")
    assert pytest.approx(params.kpt_oks_sigmas) == SIGMAS


def test_a_mirror_exchanges_left_and_right():
    assert len(FLIP_PAIRS) == 8
    for left, right in FLIP_PAIRS:
        assert KEYPOINTS[left].replace("left", "right") == KEYPOINTS[right] != KEYPOINTS[left]


def test_the_skeleton_is_cocos(shared: Path):
    annotations = json.loads((shared / "coco-mini/annotations/person_keypoints_val2017.json").read_text())
    assert [[a + 1, b + 1] for a, b in SKELETON] == annotations["categories"][0]["skeleton"]
    assert list(KEYPOINTS) == annotations["categories"][0]["keypoints"]
