"""Light on surfaces: Lambert's law with shadows, a soft ambient term and a highlight (Blinn, 1977)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.hits import SKY, Hits, groups, visible
from src.data.scene.scene import Scene
from src.data.scene.vector import dot, length, times


@dataclass(frozen=True)
class Shade:
    """What the light that n rays meet is made of, in linear RGB; of no meaning where that is the sky."""

    albedo: Float32[ndarray, "3 n"]  # of the surface itself
    shading: Float32[ndarray, "3 n"]  # light that arrives
    highlight: Float32[ndarray, "3 n"]  # light that is mirrored

    @classmethod
    def of(cls, scene: Scene, hits: Hits, direction: Float32[ndarray, "3 n"], pixel: float) -> "Shade":
        """Along rays of which one pixel is `pixel` metres wide at distance 1."""
        view = -direction / length(direction)
        shading, highlight = _light(scene, hits, view)
        return cls(_albedo(scene, hits, view, pixel), shading, highlight)

    def radiance(self, scene: Scene, hits: Hits, direction: Float32[ndarray, "3 n"]) -> Float32[ndarray, "3 n"]:
        """What reaches the eye: albedo · shading + highlight, with the haze before it; the sky where that is met."""
        color = self.albedo * self.shading + self.highlight
        left = np.exp(-hits.distance * length(direction) / np.float32(scene.haze))
        color = scene.sky.horizon[:, None] + (color - scene.sky.horizon[:, None]) * left
        empty = hits.surface == SKY
        if empty.any():
            color[:, empty] = scene.sky.color(direction[:, empty])
        return color


def _albedo(scene: Scene, hits: Hits, view: ndarray, pixel: float) -> ndarray:
    """Of the surfaces seen from the unit directions `view`."""
    color = np.zeros_like(hits.point)
    slant = np.maximum(dot(hits.normal, view), np.float32(0.05))
    footprint = hits.distance * np.float32(pixel) / slant
    for index, rays in groups(hits.surface):
        color[:, rays] = scene.surfaces[index].material.albedo(hits.uv[:, rays], footprint[rays])
    return color


def _light(scene: Scene, hits: Hits, view: ndarray) -> tuple[ndarray, ndarray]:
    """Light that arrives, and light that is mirrored, in linear RGB."""
    light = scene.light
    toward = light.position[:, None] - hits.point
    toward /= length(toward)
    lit = np.maximum(dot(hits.normal, toward), 0)
    facing = np.flatnonzero(lit > 0)
    lit[facing] *= visible(scene, light.position, hits.point[:, facing])
    up = (1 + hits.normal[2]) / 2
    ambient = light.below[:, None] + (light.above - light.below)[:, None] * up
    half = toward + view
    shine = np.maximum(dot(hits.normal, half), 0) / length(half)
    gloss = np.array([surface.material.gloss for surface in scene.surfaces] + [0], np.float32)[hits.surface]
    highlight = light.color[:, None] * (gloss * shine**32 * (lit > 0))
    return ambient * _openness(scene, hits) + light.color[:, None] * lit, highlight


def _openness(scene: Scene, hits: Hits) -> ndarray:
    """Share of the ambient light that solids nearby and the room's corners leave, roughly."""
    normals, offsets = (np.array([getattr(p, k) for p in scene.planes], np.float32) for k in ("normal", "offset"))
    height = np.maximum(times(normals, hits.point) - offsets[:, None], 0)
    sideways = 1 - np.abs(times(normals, hits.normal))
    corners = np.float32(0.35) * (sideways * np.exp(-4 * height)).sum(0)

    center = np.stack([solid.center for solid in scene.solids])
    radius = np.array([[solid.size.prod() ** (1 / 3)] for solid in scene.solids], np.float32)
    ones = np.ones_like(radius)
    point = np.vstack([hits.point, dot(hits.point, hits.point), np.ones_like(corners)])
    square = np.maximum(times(np.hstack([-2 * center, ones, (center**2).sum(1, keepdims=True)]), point), radius**2)
    toward = times(np.hstack([center, -ones]), np.vstack([hits.normal, dot(hits.point, hits.normal)]))
    near = (radius**3 * np.maximum(toward, 0) / (square * square)).sum(0)
    return np.exp(-corners - near)
