"""Rays and light in a scene worked out by hand: a ball of radius 0.5, 1 m above a floor, under a lamp at 3 m."""

from dataclasses import replace

import numpy as np
import pytest

from src.data.scene.atlas import STRIP, Atlas
from src.data.scene.camera import Camera
from src.data.scene.field import field
from src.data.scene.hits import SKY, Hits, visible
from src.data.scene.light import Light
from src.data.scene.material import Material
from src.data.scene.pattern import PATTERNS, checker, plain
from src.data.scene.picture import centers, picture
from src.data.scene.plane import Plane
from src.data.scene.room import room
from src.data.scene.scene import Scene
from src.data.scene.shade import Shade
from src.data.scene.shape import BOX, SPHERE
from src.data.scene.sky import Sky
from src.data.scene.solid import Solid

EDGE = 3 * np.tan(np.arcsin(0.5 / 2))  # metres from the middle to the end of the shadow
WHITE = Material(np.full((3, 2), 0.8, np.float32), plain, scale=1.0)


def vector(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.fixture
def scene() -> Scene:
    ball = Solid("sphere", SPHERE, vector(0, 0, 1), vector(0.5, 0.5, 0.5), np.eye(3, dtype=np.float32), WHITE)
    light = Light(vector(0, 0, 3), vector(1, 1, 1), vector(0.2, 0.2, 0.2), vector(0.1, 0.1, 0.1))
    sky = Sky(vector(0.5, 0.6, 0.7), vector(0.1, 0.2, 0.6), clouds=0.0, phase=0.0)
    return Scene((Plane("floor", vector(0, 0, 1), 0.0, WHITE),), (ball,), light, sky, reach=10.0, haze=1e6)


def floor_points(radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 24)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle]).astype(np.float32)


def test_a_shadow_ends_where_the_tangent_meets_the_floor(scene):
    assert not visible(scene, scene.light.position, floor_points(EDGE - 0.01)).any()
    assert visible(scene, scene.light.position, floor_points(EDGE + 0.01)).all()


def test_a_surface_does_not_hide_itself(scene):
    top = np.random.default_rng(0).standard_normal((3, 500))
    top[2] = np.abs(top[2]) + np.linalg.norm(top[:2], axis=0)  # at most 45 degrees from the zenith: all of it is lit
    points = (vector(0, 0, 1)[:, None] + 0.5 * top / np.linalg.norm(top, axis=0)).astype(np.float32)
    assert visible(scene, scene.light.position, points).all()


def test_rays_meet_the_nearest_surface_or_the_sky(scene):
    direction = np.array([[1, 0, 0], [1, 0, -0.1], [1, 0, -0.5], [0.001, 0, -1]], np.float32).T
    hits = Hits.of(scene, vector(-1.5, 0, 1), direction)
    assert hits.surface.tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(hits.distance, [1, hits.distance[1], 2, 1], atol=1e-5)
    np.testing.assert_allclose(hits.point[:, 2], (0.5, 0, 0), atol=1e-5)
    np.testing.assert_allclose(hits.normal[:, [0, 2]].T, [[-1, 0, 0], [0, 0, 1]], atol=1e-5)
    small = replace(scene.solids[0], center=vector(1, 0, 1), size=vector(0.1, 0.1, 0.1))
    for solids in ((small, *scene.solids), (*scene.solids, small)):
        assert Hits.of(replace(scene, solids=solids), vector(-1.5, 0, 1), direction[:, :1]).distance == pytest.approx(1)
    beyond = Hits.of(scene, vector(-1.5, 0, 1), np.array([[-1, -1], [0, 0], [-0.05, 0.5]], np.float32))
    assert (beyond.surface == SKY).all()  # 20 m away, where the ground has ended, and above


def test_candidates_are_the_rays_through_the_sphere_around_a_solid(scene):
    eye = vector(0.5, -3, 1.5)
    direction = np.random.default_rng(0).standard_normal((3, 5000)).astype(np.float32)
    toward = scene.solids[0].center - eye
    along = toward @ direction / np.linalg.norm(direction, axis=0)
    expected = (along > 0) & (toward @ toward - along**2 < 0.5**2)
    assert expected.sum() > 5
    np.testing.assert_array_equal(scene.candidates(eye, direction)[0], expected)


def test_a_long_solid_beside_the_camera_is_met_though_its_middle_is_behind(scene):
    beam = replace(scene.solids[0], shape=BOX, center=vector(0.5, 0, 1), size=vector(0.1, 3, 0.1))
    hits = Hits.of(replace(scene, solids=(beam,)), vector(0, 1, 1), vector(0.4, 1, 0)[:, None])
    assert hits.surface.tolist() == [1]
    assert hits.distance == pytest.approx(1)


def test_what_a_ray_meets_does_not_depend_on_the_other_rays():
    for make in (room, field):
        world, camera = make(np.random.default_rng(0))
        direction = camera.rays(centers((24, 32)), (24, 32))
        every, some = (Hits.of(world, camera.position, rays) for rays in (direction, direction[:, ::5]))
        assert (every.surface[::5] == some.surface).all()
        for name in ("distance", "point", "normal", "uv"):
            np.testing.assert_allclose(getattr(every, name)[..., ::5], getattr(some, name), rtol=1e-3, atol=1e-4)


def test_shade_is_ambient_and_light_is_lambert(scene):
    points = np.concatenate([floor_points(EDGE - 0.1), floor_points(2.0)], axis=1)
    eye = vector(0, -4, 2)
    direction = points - eye[:, None]
    hits = Hits.of(scene, eye, direction)
    seen = hits.surface == 0
    color = Shade.of(scene, hits, direction, pixel=0.001).radiance(scene, hits, direction)[0]
    dark, lit = color[:24][seen[:24]], color[24:][seen[24:]]
    assert (dark < 0.8 * 0.2).all()
    np.testing.assert_allclose(lit, 0.8 * (3 / np.hypot(3, 2) + 0.2), rtol=0.05)  # openness takes its few percent


def test_a_highlight_shines_where_the_lamp_is_mirrored(scene):
    shiny = replace(scene, planes=(replace(scene.planes[0], material=replace(WHITE, gloss=0.7)),))
    eye = vector(4, 0, 3)  # as high as the lamp: the floor mirrors it half way
    points = np.array([[2, 0, 0], [2, 1, 0], [3.9, 0, 0]], np.float32).T
    hits = Hits.of(shiny, eye, points - eye[:, None])
    direction = points - eye[:, None]
    shades = [Shade.of(world, hits, direction, pixel=0.001) for world in (shiny, scene)]
    highlight = np.subtract(*(shade.radiance(shiny, hits, direction)[0] for shade in shades))
    assert highlight[0] == pytest.approx(0.7, abs=1e-3)
    assert highlight[1] < 0.6
    assert highlight[2] < 0.1


def test_detail_finer_than_a_pixel_is_averaged():
    colors = np.array([[0, 1]] * 3, np.float32)
    material = Material(colors, checker, scale=0.2)
    uv = np.random.default_rng(0).uniform(0, 9, (2, 100)).astype(np.float32)
    near, far = (material.albedo(uv, np.full(100, width, np.float32)) for width in (0.001, 0.2))
    assert set(np.unique(near)) == {0, 1}
    np.testing.assert_allclose(far, 0.5, atol=0.01)


def test_an_atlas_says_of_each_strip_what_is_on_it():
    atlas = Atlas((WHITE, replace(WHITE, pattern=checker), WHITE))
    kinds = atlas.kind(np.array([[0, STRIP - 1, STRIP + 1, 2 * STRIP], [0, 0, 0, 0]], np.float32))
    assert [PATTERNS[kind] for kind in kinds] == [plain, checker, checker, plain]


def taken(scene: Scene, size: tuple[int, int]) -> np.ndarray:
    camera = Camera.at(vector(0, -4, 1.5), 0.0, -0.1, 0.1, 0.8)
    direction = camera.rays(centers(size), size)
    hits = Hits.of(scene, camera.position, direction)
    shade = Shade.of(scene, hits, direction, 1 / camera.focal(size))
    return picture(np.random.default_rng(0), scene, camera, hits, shade, size).astype(float)


def test_edges_of_the_picture_are_antialiased(scene):
    small, large = taken(scene, (24, 32)), taken(scene, (168, 224))
    pooled, center = large.reshape(3, 24, 7, 32, 7).mean((2, 4)), large[:, 3::7, 3::7]
    edge = np.abs(center - pooled) > 15  # grey levels
    assert edge.sum() > 60
    assert np.abs(small - pooled)[edge].mean() < 0.5 * np.abs(center - pooled)[edge].mean()
