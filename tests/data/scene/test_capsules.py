"""Capsules against the distance to a line's nearest point, worked out one by one in double precision."""

import numpy as np
import pytest

from src.data.scene.capsules import Capsules

RNG = np.random.default_rng(0)
START, END = RNG.uniform(-0.5, 0.5, (2, 6, 3)).astype(np.float32)
END[4] = START[4]  # a sphere
RADIUS = RNG.uniform(0.05, 0.2, 6).astype(np.float32)
CAPSULES = Capsules.between(START, END, RADIUS)


def outside(points: np.ndarray) -> np.ndarray:
    """Signed distances [k n] of points [3 n] to the surface of each capsule."""
    whole = (END - START).astype(float)
    along = (
        np.einsum("kc,kcn->kn", whole, points[None] - START[:, :, None]) / np.maximum((whole**2).sum(1), 1e-9)[:, None]
    )
    nearest = START[:, :, None] + whole[:, :, None] * np.clip(along, 0, 1)[:, None]
    return np.linalg.norm(points[None] - nearest, axis=1) - RADIUS[:, None]


def marched(origin: np.ndarray, direction: np.ndarray, reach: float) -> np.ndarray:
    """Where rays enter, found by steps as long as nothing is nearer; inf for a miss."""
    unit = direction / np.linalg.norm(direction, axis=0)
    way = np.full(direction.shape[1], max(reach - 2, 0.0))
    for _ in range(400):
        way += np.maximum(outside(origin[:, None] + way * unit).min(0), 1e-7)
    return np.where(way < reach + 2, way / np.linalg.norm(direction, axis=0), np.inf)


@pytest.mark.parametrize("reach", [1.5, 300.0])
def test_rays_enter_where_a_march_along_them_ends(reach):
    origin = reach * np.array([0.6, -0.64, 0.48])
    targets = RNG.uniform(-0.8, 0.8, (3, 4000))
    direction = (targets - origin[:, None]) * RNG.uniform(0.5, 2, 4000)
    single = origin.astype(np.float32), direction.astype(np.float32)
    found, expected = CAPSULES.distance(*single), marched(*(values.astype(float) for values in single), reach)
    missed = np.isinf(expected)
    assert 500 < missed.sum() < 3500
    assert np.mean(np.isinf(found) != missed) < 0.002  # rays that graze
    both = ~missed & np.isfinite(found)
    gap = np.abs(found[both] - expected[both]) * np.linalg.norm(direction, axis=0)[both]
    assert np.quantile(gap, 0.99) < (1e-4 if reach < 10 else 1e-3)  # metres


def test_a_ray_along_an_axis_meets_the_cap_and_one_from_within_meets_nothing():
    upright = Capsules.between(*np.array([[[0, 0, 0]], [[0, 0, 1]]], np.float32), np.array([0.25], np.float32))
    down = np.array([[0, 0, -1.0]], np.float32).T
    assert upright.distance(np.array([0, 0, 3], np.float32), down) == pytest.approx(1.75)
    assert np.isinf(upright.distance(np.array([0, 0, 0.5], np.float32), down)).all()
    assert np.isinf(upright.distance(np.array([0, 0, -3], np.float32), down)).all()  # it is behind


def test_normals_are_the_slope_of_the_distance():
    origin = np.array([0.9, -1, 0.7], np.float32)
    direction = (RNG.uniform(-0.5, 0.5, (3, 500)) - origin[:, None]).astype(np.float32)
    entered = CAPSULES.distance(origin, direction)
    points = (origin[:, None] + entered * direction)[:, np.isfinite(entered)]
    owner, normal, along = CAPSULES.nearest(points)
    np.testing.assert_array_equal(owner, outside(points).argmin(0))
    np.testing.assert_allclose(outside(points)[owner, np.arange(len(owner))], 0, atol=1e-4)
    steps = 1e-3 * np.eye(3)[:, :, None]
    slope = [(outside(points + step) - outside(points - step))[owner, np.arange(len(owner))] / 2e-3 for step in steps]
    np.testing.assert_allclose(normal, slope, atol=2e-3)
    spot = CAPSULES.center[owner].T + CAPSULES.axis[owner].T * along
    assert np.abs(np.einsum("cn,cn->n", points - spot, CAPSULES.axis[owner].T)).max() < 1e-5
