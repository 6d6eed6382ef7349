"""Bodies: joints bend as joints do, limbs keep their lengths, and feet stand on the ground."""

import numpy as np
import pytest

from src.data.people import KEYPOINTS
from src.data.scene.figure import Figure
from src.data.scene.mannequin import mannequin
from src.data.scene.posture import Posture
from src.data.scene.skeleton import skeleton

LIMITS = {  # degrees that a healthy joint reaches, by the handbooks of its examination
    "hip": (-20, 120),
    "spread": (0, 45),
    "knee": (0, 140),
    "shoulder": (-50, 180),
    "lift": (0, 180),
    "turn": (-70, 90),
    "elbow": (0, 150),
    "lean": (-30, 60),
    "twist": (-80, 80),
    "nod": (-60, 50),
}
UPRIGHT = Posture(*(np.zeros(2) for _ in range(7)), lean=0.0, twist=0.0, nod=0.0, seated=False)
POSTURES = [Posture.random(np.random.default_rng(seed)) for seed in range(200)]


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


def test_joints_stay_within_human_ranges():
    for posture in POSTURES:
        for name, (low, high) in LIMITS.items():
            degrees = np.degrees(getattr(posture, name))
            assert np.all((low <= degrees) & (degrees <= high)), name


def test_there_are_all_kinds_of_posture():
    assert 20 < sum(posture.seated for posture in POSTURES) < 80
    assert sum(posture.lift.max() > 1.2 or posture.shoulder.max() > 1.2 for posture in POSTURES) > 20
    strides = [posture.hip[0] - posture.hip[1] for posture in POSTURES if abs(posture.hip[0] - posture.hip[1]) > 0.35]
    assert min(np.sum(np.array(strides) > 0), np.sum(np.array(strides) < 0)) > 10  # either leg leads


def test_an_upright_body_is_symmetric_and_looks_ahead():
    joints = skeleton(UPRIGHT)
    for name, point in joints.items():
        if name.startswith("left"):
            mirrored = joints[name.replace("left", "right")]
            np.testing.assert_allclose(point, mirrored * [-1, 1, 1], atol=1e-12)
            assert point[0] < 0
    assert joints["nose"][1] > 0.05
    assert joints["left_toe"][1] > joints["left_ankle"][1] + 0.1
    assert joints["left_wrist"][2] < joints["left_elbow"][2] < joints["left_shoulder"][2]


def test_limbs_keep_their_lengths_and_bend_by_the_angle_of_the_joint():
    for posture in POSTURES[:40]:
        joints = skeleton(posture)
        for side, number in (("left", 0), ("right", 1)):
            hip, knee, ankle = (joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
            shoulder, elbow, wrist = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
            lengths = [
                np.linalg.norm(a - b) for a, b in ((hip, knee), (knee, ankle), (shoulder, elbow), (elbow, wrist))
            ]
            np.testing.assert_allclose(lengths, [0.245, 0.246, 0.186, 0.146], atol=1e-9)
            assert angle(knee - hip, ankle - knee) == pytest.approx(np.degrees(posture.knee[number]), abs=1e-4)
            assert angle(elbow - shoulder, wrist - elbow) == pytest.approx(np.degrees(posture.elbow[number]), abs=1e-4)
            assert np.cross(knee - hip, ankle - knee)[0] <= 1e-9  # knees bend backward, never forward


@pytest.mark.parametrize("side", [0, 1])
def test_an_arm_lifted_sideways_and_turned_out_shows_its_hand_upward(side):
    angles = {name: np.zeros(2) for name in ("hip", "spread", "knee", "shoulder", "lift", "turn", "elbow")}
    for name in ("lift", "turn", "elbow"):
        angles[name][side] = np.pi / 2
    joints = skeleton(Posture(**angles, lean=0.0, twist=0.0, nod=0.0, seated=False))
    name, sign = ("left", -1) if side == 0 else ("right", 1)
    shoulder, elbow, wrist = (joints[f"{name}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
    np.testing.assert_allclose(elbow - shoulder, [sign * 0.186, 0, 0], atol=1e-9)
    np.testing.assert_allclose(wrist - elbow, [0, 0, 0.146], atol=1e-9)


def test_a_person_stands_on_the_ground_where_it_was_put_and_looks_where_it_was_turned():
    spot, heads = np.array([3.0, 5.0]), []
    for seed in range(40):
        figure, *seat = mannequin(np.random.default_rng(seed), spot, 0.5)
        assert isinstance(figure, Figure)
        limbs = figure.limbs
        assert (limbs.center[:, 2] - np.abs(limbs.axis[:, 2]) * limbs.half - limbs.radius).min() == pytest.approx(
            0, abs=1e-5
        )
        heads.append(figure.center[2] + figure.size[2])
        hips = figure.keypoints[[KEYPOINTS.index(f"{side}_hip") for side in ("left", "right")]]
        np.testing.assert_allclose(hips.mean(0)[:2], spot, atol=1e-5)
        ahead = np.array([np.sin(0.5), np.cos(0.5)])
        assert np.cross(hips[1] - hips[0], [0, 0, 1])[:2] @ -ahead == pytest.approx(
            np.linalg.norm(hips[1] - hips[0]), abs=1e-5
        )
        for box in seat:
            assert box.center[2] == pytest.approx(box.size[2])
            assert 0.02 < hips[0, 2] - 2 * box.size[2] < 0.12
    assert 1.0 < min(heads) < max(heads) < 2.5


def test_a_keypoint_is_within_the_body_as_deep_as_it_says():
    figure = mannequin(np.random.default_rng(3), np.zeros(2), 1.0)[0]
    limbs = figure.limbs
    low, high = limbs.center - limbs.axis * limbs.half[:, None], limbs.center + limbs.axis * limbs.half[:, None]
    for point, depth in zip(figure.keypoints, figure.depths, strict=True):
        touching = np.minimum(np.linalg.norm(low - point, axis=1), np.linalg.norm(high - point, axis=1)) < 1e-5
        assert depth == limbs.radius[touching].max()


def test_the_parts_of_a_body_have_materials_of_their_own():
    figure = mannequin(np.random.default_rng(0), np.zeros(2), 0.0)[0]
    limbs = figure.limbs
    aside = np.cross(limbs.axis, [0.3, 0.5, 0.8]).astype(np.float32)
    points = (limbs.center + aside / np.linalg.norm(aside, axis=1, keepdims=True) * limbs.radius[:, None]).T
    owner, _, _ = limbs.nearest(points)
    _, uv = figure.surface(points)
    near = figure.material.albedo(uv, np.zeros(points.shape[1], np.float32))
    eye = figure.cloth.index(2)
    assert (near[:, owner == eye] < 0.01).all()
    for cloth in set(figure.cloth):
        here = np.isin(owner, [limb for limb, own in enumerate(figure.cloth) if own == cloth])
        colors = figure.material.materials[cloth].colors
        assert (near[:, here] >= colors.min(1, keepdims=True) - 1e-6).all()
        assert (near[:, here] <= colors.max(1, keepdims=True) + 1e-6).all()
