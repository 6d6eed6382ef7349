"""Each shape against a dense search along the ray for where its solid begins, said once more in the plainest way."""

import numpy as np
import pytest

from src.data.scene.shape import BOX, CONE, CYLINDER, SPHERE

INSIDE = {
    "box": (BOX, lambda x, y, z: np.maximum(np.maximum(abs(x), abs(y)), abs(z)) <= 1),
    "sphere": (SPHERE, lambda x, y, z: x**2 + y**2 + z**2 <= 1),
    "cylinder": (CYLINDER, lambda x, y, z: (x**2 + y**2 <= 1) & (abs(z) <= 1)),
    "cone": (CONE, lambda x, y, z: (x**2 + y**2 <= ((1 - z) / 2) ** 2) & (abs(z) <= 1)),
}


def rays(count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """From a sphere of radius 3 towards places near the shape."""
    rng = np.random.default_rng(0)
    origin = rng.standard_normal((3, count))
    origin = 3 * origin / np.linalg.norm(origin, axis=0)
    direction = rng.uniform(-1.2, 1.2, (3, count)) - origin
    return origin.astype(np.float32), (direction / np.linalg.norm(direction, axis=0)).astype(np.float32)


@pytest.mark.parametrize("name", INSIDE)
def test_a_ray_enters_where_the_solid_begins(name):
    shape, inside = INSIDE[name]
    origin, direction = rays()
    steps = np.linspace(0, 6, 3001)
    within = inside(*(origin[:, :, None] + direction[:, :, None] * steps))
    distance = shape.distance(origin, direction)
    hit = within.any(1)
    assert 50 < hit.sum() < 400
    np.testing.assert_allclose(distance[hit], steps[within[hit].argmax(1)], atol=0.003)
    assert np.isinf(distance[~hit]).mean() > 0.97  # a step may jump over what a ray only grazes


@pytest.mark.parametrize("name", INSIDE)
def test_normals_point_out_of_the_solid_and_towards_the_ray(name):
    shape, inside = INSIDE[name]
    origin, direction = rays()
    distance = shape.distance(origin, direction)
    hit = np.isfinite(distance)
    point = (origin + distance * direction)[:, hit]
    normal = shape.normal(point)
    normal = normal / np.linalg.norm(normal, axis=0)
    assert (np.sum(normal * direction[:, hit], axis=0) < 1e-3).all()
    assert not inside(*(point + 0.01 * normal)).any()
    sideways = np.cross(normal.T, direction[:, hit].T).T * 0.01  # along the surface: leaves it to second order only
    assert inside(*(point - 0.002 * normal + sideways * 0.1)).mean() > 0.97  # not at an edge


@pytest.mark.parametrize("name", INSIDE)
def test_the_corner_is_as_far_from_the_middle_as_the_surface_gets(name):
    shape, _ = INSIDE[name]
    origin, direction = rays(4000)
    distance = shape.distance(origin, direction)
    hit = np.isfinite(distance)
    farthest = np.linalg.norm((origin + distance * direction)[:, hit], axis=0).max()
    assert 0.97 * np.linalg.norm(shape.corner) < farthest <= np.linalg.norm(shape.corner) + 1e-5
