"""A person before the camera, and what may stand between them."""

from dataclasses import replace

import numpy as np
import pytest

from src.data.people import KEYPOINTS
from src.data.scene import mannequin as module
from src.data.scene.camera import Camera
from src.data.scene.crowd import crowd
from src.data.scene.field import field
from src.data.scene.figure import Figure
from src.data.scene.posture import Posture
from src.data.scene.room import room
from src.data.scene.scene import Scene
from src.data.scene.shape import BOX
from src.data.scene.sight import sight
from src.data.scene.thing import upright

SIZE = (200, 200)
CAMERA = Camera.at(np.array([0, -4, 0.9], np.float32), 0.0, 0.0, 0.0, 1.0)
UPRIGHT = Posture(*(np.zeros(2) for _ in range(7)), lean=0.0, twist=0.0, nod=0.0, seated=False)
AHEAD, AWAY, ACROSS = np.pi, 0.0, np.pi / 2  # headings: towards the camera, with it, to the right of the picture


@pytest.fixture
def scene(monkeypatch) -> Scene:
    monkeypatch.setattr(Posture, "random", classmethod(lambda cls, rng: UPRIGHT))
    return replace(field(np.random.default_rng(0))[0], solids=())


def seen(scene: Scene, heading: float, *others) -> dict[str, np.ndarray]:
    person = module.mannequin(np.random.default_rng(0), np.zeros(2), heading)[0]
    found = sight(replace(scene, solids=(person, *others)), CAMERA, np.array([len(scene.planes)]), SIZE)
    return dict(zip(KEYPOINTS, found[0], strict=True))


def test_who_faces_the_camera_is_seen_whole_with_its_left_at_the_right(scene):
    points = seen(scene, AHEAD)
    assert {name: point[2] for name, point in points.items() if point[2] != 2} == {}
    for name, point in points.items():
        if name.startswith("left"):
            assert point[0] > points[name.replace("left", "right")][0]
    assert points["nose"][1] < points["left_hip"][1] < points["left_ankle"][1]


def test_a_face_is_hidden_from_behind_and_half_of_it_from_the_side(scene):
    behind = seen(scene, AWAY)
    assert [behind[name][2] for name in ("nose", "left_eye", "right_eye")] == [1, 1, 1]
    assert [behind[name][2] for name in ("left_shoulder", "right_knee", "left_ankle", "left_ear")] == [2, 2, 2, 2]
    assert behind["left_shoulder"][0] < behind["right_shoulder"][0]
    aside = seen(scene, ACROSS)  # its right is towards the camera
    pairs = [
        (aside[f"right_{name}"][2], aside[f"left_{name}"][2]) for name in ("eye", "ear", "shoulder", "hip", "knee")
    ]
    assert pairs == [(2, 1)] * 5
    assert aside["nose"][2] == 2


def test_points_are_where_a_pinhole_puts_them(scene):
    person = module.mannequin(np.random.default_rng(0), np.zeros(2), AHEAD)[0]
    for (x, y, _), (right, forward, up) in zip(seen(scene, AHEAD).values(), person.keypoints, strict=True):
        assert x == pytest.approx(100 + 200 * right / (forward + 4), abs=1e-3)
        assert y == pytest.approx(100 - 200 * (up - 0.9) / (forward + 4), abs=1e-3)


def test_what_stands_before_a_person_hides_its_legs(scene):
    box = upright(np.random.default_rng(0), BOX, (0, -1.5, 0.4), (0.8, 0.2, 0.4))
    points = seen(scene, AHEAD, box)
    assert [points[name][2] for name in ("left_ankle", "right_ankle", "left_knee")] == [1, 1, 1]
    assert points["nose"][2] == points["left_hip"][2] == 2


def test_a_board_close_to_a_body_is_none_of_its_flesh(scene):
    board = upright(np.random.default_rng(0), BOX, (0, -0.13, 0.9), (0.5, 0.005, 0.08))
    board = replace(board, rotation=np.eye(3, dtype=np.float32))
    points = seen(scene, AHEAD, board)
    assert [points[name][2] for name in ("left_hip", "right_hip", "left_knee", "nose")] == [1, 1, 2, 2]


def test_what_is_outside_the_picture_or_behind_the_camera_is_not_labelled(scene):
    near = replace(CAMERA, position=np.array([0, -1, 1.6], np.float32))
    person = module.mannequin(np.random.default_rng(0), np.zeros(2), AHEAD)[0]
    behind = module.mannequin(np.random.default_rng(0), np.array([0.0, -3.0]), AHEAD)[0]
    world = replace(scene, solids=(person, behind))
    first, second = sight(world, near, np.array([len(scene.planes), len(scene.planes) + 1]), SIZE)
    assert (first[KEYPOINTS.index("left_ankle")] == 0).all()
    assert first[KEYPOINTS.index("nose"), 2] == 2
    assert (second == 0).all()


@pytest.mark.parametrize("make", [room, field])
def test_people_stand_free_of_things_and_walls_and_some_are_close_together(make):
    gaps, count = [], 0
    for seed in range(40):
        scene, camera = make(np.random.default_rng(seed))
        peopled = crowd(np.random.default_rng(seed), scene, camera, 3.0)
        assert peopled.solids[: len(scene.solids)] == scene.solids
        people = [solid for solid in peopled.solids if isinstance(solid, Figure)]
        count += len(people)
        spots = [person.keypoints[11:13, :2].mean(0) for person in people]
        gaps += [
            min(np.hypot(*(a - b)) for j, b in enumerate(spots) if i != j)
            for i, a in enumerate(spots)
            if len(spots) > 1
        ]
        for spot in spots:
            assert 2 <= np.hypot(*(spot - camera.position[:2])) <= 8
            assert all(spot @ p.normal[:2] - p.offset >= 0.3 - 1e-5 for p in scene.planes if p.normal[2] == 0)
            assert all(np.hypot(*(spot - solid.center[:2])) > 0.3 for solid in scene.solids)
    assert 2.5 < count / 40 < 3.5
    assert min(gaps) > 0.49
    assert 0.2 < np.mean(np.array(gaps) < 0.81) < 0.9
