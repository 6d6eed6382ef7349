"""Where rays meet a set of capsules, all of them at once: what has many limbs would take long one by one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

from src.data.scene.vector import dot, length, times

_FAR = np.float32(np.inf)


@dataclass(frozen=True)
class Capsules:
    """All points within a radius of a piece of a line, for each of k lines; a piece of no length gives a sphere."""

    center: Float32[ndarray, "k 3"]  # metres, world
    axis: Float32[ndarray, "k 3"]  # unit
    half: Float32[ndarray, " k"]  # metres from the middle of the line to its end
    radius: Float32[ndarray, " k"]  # metres

    @classmethod
    def between(
        cls, start: Float32[ndarray, "k 3"], end: Float32[ndarray, "k 3"], radius: Float32[ndarray, " k"]
    ) -> "Capsules":
        """The capsules around the lines from `start` to `end`."""
        whole = end - start
        extent = np.linalg.norm(whole, axis=1)
        axis = np.where(extent[:, None] > 0, whole, np.array([0, 0, 1], np.float32))
        return cls((start + end) / 2, axis / np.linalg.norm(axis, axis=1, keepdims=True), extent / 2, radius)

    def distance(self, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> Float32[ndarray, " n"]:
        """How many `direction`s from `origin` each ray enters the first of them; inf for a miss."""
        square = dot(direction, direction)
        ahead = times((self.middle - origin)[None], direction)[0] / square
        start = ahead * direction + (origin - self.middle)[:, None]  # beside them: see `Solid.distance`
        across = times(self._offset, direction) - dot(start, direction)
        near = across / square  # from there to the place that is nearest to a capsule's middle
        between = times(-2 * self._offset, start) + dot(start, start) + self._square - across * near  # squared
        met = np.flatnonzero(between <= ((self.half + self.radius) ** 2)[:, None])
        place, ray = np.divmod(met, len(square))
        near, between = near.ravel()[met], between.ravel()[met]
        axis = self.axis.T.take(place, 1)
        rise = dot(axis, direction.take(ray, 1))
        height = dot(axis, start.take(ray, 1)) - self._height[place] + near * rise
        entered = ahead[ray] + near + self._entered(place, rise, height, between, square[ray])
        found = np.full(len(square), _FAR)
        np.minimum.at(found, ray, np.where(entered > 0, entered, _FAR))
        return found

    def nearest(
        self, point: Float32[ndarray, "3 n"]
    ) -> tuple[Int[ndarray, " n"], Float32[ndarray, "3 n"], Float32[ndarray, " n"]]:
        """For points on the surface: whose it is, the outward unit normal, and how far along the axis it is, metres."""
        point = point - self.middle[:, None]
        along = times(self.axis, point) - self._height[:, None]
        within = np.clip(along, -self.half[:, None], self.half[:, None])
        between = dot(point, point) - 2 * times(self._offset, point) + self._square - within * (2 * along - within)
        chosen = (np.sqrt(np.maximum(between, 0)) - self.radius[:, None]).argmin(0)
        here = chosen, np.arange(len(chosen))
        outward = point - self._offset.T.take(chosen, 1) - self.axis.T.take(chosen, 1) * within[here]
        return chosen, outward / np.maximum(length(outward), 1e-9), along[here]

    @cached_property
    def middle(self) -> Float32[ndarray, "3"]:
        """The mean of the centers; metres, world."""
        return self.center.mean(0)

    @cached_property
    def _offset(self) -> ndarray:
        """From the middle of all to the middle of each, [k 3]."""
        return self.center - self.middle

    @cached_property
    def _square(self) -> ndarray:
        """Of the offset's length, [k 1]."""
        return (self._offset**2).sum(1, keepdims=True)

    @cached_property
    def _height(self) -> ndarray:
        """Of each offset along the capsule's own axis, [k]."""
        return dot(self.axis.T, self._offset.T)

    def _entered(self, place: ndarray, rise: ndarray, height: ndarray, between: ndarray, square: ndarray) -> ndarray:
        """From the place of a ray that is nearest to the middle of its capsule: `height` along the axis."""
        half, radius = self.half[place], self.radius[place]
        rest = between - radius**2
        side = _root(np.maximum(square - rise**2, 1e-9), -height * rise, rest - height**2)
        reached = height + np.where(np.isfinite(side), side, 0) * rise
        end = np.where(reached > 0, half, -half)  # the cap on that side
        cap = _root(square, -end * rise, rest - 2 * end * height + half**2)
        return np.where(np.abs(reached) <= half, side, cap)


def _root(a: ndarray, b: ndarray, c: ndarray) -> ndarray:
    """The first solution of a t² + 2 b t + c = 0; inf where there is none."""
    square = b * b - a * c
    return np.where(square < 0, _FAR, (-b - np.sqrt(np.maximum(square, 0))) / a)
