import time

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors

from src.data.camera import pinhole
from src.data.description import Description
from src.data.field import Depth, Normals
from src.data.plane_normals import plane_normals
from src.data.sample import Sample
from src.data.scenes import Scenes
from src.data.transform import Augment

CAMERA = pinhole(110.0, 100.0, 55.0, 38.0)
SIZE = (72, 96)


def rays() -> Tensor:
    y, x = torch.meshgrid(*(torch.arange(float(length)) for length in SIZE), indexing="ij")
    return torch.einsum("ij,jhw->ihw", torch.linalg.inv(CAMERA), torch.stack([x, y, torch.ones_like(x)]))


def wall(normal: Tensor, distance: float = 4.0) -> Tensor:
    """Depth [1 h w] of a plane."""
    return (-distance / torch.einsum("i,ihw->hw", normal, rays()))[None]


def degrees(ours: Tensor, theirs: Tensor) -> Tensor:
    return torch.rad2deg(torch.acos((ours.double() * theirs.double()).sum(0).clamp(-1, 1)))


@pytest.mark.parametrize("direction", [(0.0, 0.0, -1.0), (0.3, -0.4, -1.0), (-0.8, 0.1, -0.7), (0.05, -1.0, -0.6)])
@pytest.mark.parametrize("window", [3, 5, 9])
def test_a_plane_has_its_normal_everywhere(direction, window):
    normal = torch.nn.functional.normalize(torch.tensor(direction), dim=0)
    found = plane_normals(wall(normal), CAMERA, window)
    inside = found[:, window:-window, window:-window]
    assert (inside != 0).any(0).all()
    assert degrees(inside, normal[:, None, None]).max() < 0.05
    assert (found.norm(dim=0) - 1).abs()[(found != 0).any(0)].max() < 1e-5


def test_a_sphere_has_normals_away_from_its_middle():
    toward, centre, radius = rays(), torch.tensor([0.1, 0.05, 3.0]), 1.2
    square, along = (toward**2).sum(0), torch.einsum("i,ihw->hw", centre, toward)
    root = along**2 - square * (centre @ centre - radius**2)
    depth = torch.where(root > 0, (along - root.clamp(min=0).sqrt()) / square, 0.0)
    exact = torch.nn.functional.normalize(toward * depth - centre[:, None, None], dim=0)
    found = plane_normals(depth[None], CAMERA)
    known = (found != 0).any(0)
    facing = (depth > 0) & (-(exact * toward).sum(0) / square.sqrt() > 0.4)  # not at the rim
    assert known[facing].float().mean() > 0.97
    assert degrees(found, exact)[known & facing].max() < 2.5
    assert degrees(found, exact)[known & facing].mean() < 0.3
    assert not known[depth == 0].any()


def test_neither_holes_nor_steps_leak_into_a_surface():
    normal = torch.nn.functional.normalize(torch.tensor([0.2, 0.1, -1.0]), dim=0)
    depth = wall(normal)
    depth[:, 30:50, 40:70] = wall(normal, 2.0)[:, 30:50, 40:70]
    depth[:, 10:14, 20:23] = 0
    found = plane_normals(depth, CAMERA)
    known = (found != 0).any(0)
    assert not known[10:14, 20:23].any()
    assert known[12, 24]  # three of five columns are left
    assert known[30, 55]
    assert not known[30, 40]  # of a corner a quarter and a bit
    assert degrees(found, normal[:, None, None])[known].max() < 0.2


def test_a_crease_is_unknown_and_both_of_its_sides_are_not():
    left, right = (torch.nn.functional.normalize(torch.tensor([side, 0.0, -1.0]), dim=0) for side in (0.9, -0.9))
    depth = torch.maximum(wall(left), wall(right))
    found = plane_normals(depth, CAMERA, rough=0.001)
    middle = int(torch.nonzero(wall(left)[0, 40] > wall(right)[0, 40]).min())
    assert (found[:, 10:60, middle - 1 : middle + 1] == 0).all()
    for columns, normal in ((slice(4, middle - 4), right), (slice(middle + 4, 92), left)):
        assert degrees(found[:, 10:60, columns], normal[:, None, None]).max() < 0.1


def naive(depth: Tensor, camera: Tensor, y: int, x: int, reach: int, jump: float) -> np.ndarray | None:
    """One pixel by the book: the plane through its own neighbours, in float64."""
    rows, columns = slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1)
    inverse = 1 / depth[0].double().numpy()
    ys, xs = np.mgrid[rows.start : min(rows.stop, SIZE[0]), columns.start : min(columns.stop, SIZE[1])]
    near = np.abs(inverse[rows, columns] / inverse[y, x] - 1) <= jump
    points = np.stack([xs[near], ys[near], np.ones(near.sum())], 1)
    gradient = np.linalg.lstsq(points, inverse[rows, columns][near], rcond=None)[0]
    normal = -camera.double().numpy().T @ gradient
    return normal / np.linalg.norm(normal)


def test_it_is_least_squares_pixel_by_pixel_and_twenty_times_as_fast():
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 1, 5, 6), SIZE, mode="bicubic")[0] + 2
    smooth[:, 20:, 30:] += 1
    start = time.process_time()
    found = plane_normals(smooth, CAMERA, 7, rough=1.0)
    ours = time.process_time() - start
    places = [(y, x) for y in range(0, SIZE[0], 5) for x in range(0, SIZE[1], 6)]
    start = time.process_time()
    expected = [naive(smooth, CAMERA, y, x, 3, 0.1) for y, x in places]
    theirs = (time.process_time() - start) * SIZE[0] * SIZE[1] / len(places)
    for (y, x), normal in zip(places, expected, strict=True):
        if found[:, y, x].any():
            np.testing.assert_allclose(found[:, y, x], normal, atol=2e-3)
    assert sum(bool(found[:, y, x].any()) for y, x in places) > 0.9 * len(places)
    assert theirs > 20 * ours


EXACT = [{"flip": 1.0}, {"flip_vertical": 1.0}, {"crop": (40, 60)}]


@pytest.mark.parametrize("move", [*EXACT, {"rotate": 30.0}, {"scale": (1.5, 2.0)}, {"size": (144, 96)}])
def test_normals_of_the_moved_depth_are_the_moved_normals(move):
    scene = Scenes("val", resolution=SIZE, rooms=1.0)[2]
    exact = plane_normals(scene.depth.as_subclass(Tensor), scene.camera)
    sample = Sample(
        tv_tensors.Image(torch.zeros(3, *SIZE, dtype=torch.uint8)),
        depth=Depth(scene.depth),
        normals=Normals(exact),
        camera=scene.camera,
        size=SIZE,
    )
    off = {"scale": (1.0, 1.0), "flip": 0.0, "brightness": 0.0, "contrast": 0.0, "size": None}
    torch.manual_seed(3)
    moved = Augment(description=Description(("image", "depth", "normals")), **{**off, **move})(sample)
    after = plane_normals(moved.depth.as_subclass(Tensor), moved.camera, 9, rough=0.02)
    both = (after != 0).any(0) & (moved.normals != 0).any(0).as_subclass(Tensor)
    assert both.float().mean() > 0.5
    angle = degrees(after, moved.normals.as_subclass(Tensor))[both]
    # pixels that are turned or enlarged are the nearest ones, so that single fits differ; a wrong sign would be tens
    assert angle.median() < (0.5 if move in EXACT else 4.0)


@pytest.mark.parametrize("window", [1, 4])
def test_a_window_without_a_middle_is_refused(window):
    with pytest.raises(ValueError, match=f"a window of {window} pixels"):
        plane_normals(torch.ones(1, 9, 9), CAMERA, window)
