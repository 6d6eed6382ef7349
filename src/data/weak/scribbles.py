"""Scribbles: a stroke along each object (Lin et al., 2016)."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from src.data.description import UNKNOWN
from src.data.weak.components import components, depth

_NODES = 2000  # of the graph that a path is sought in: a large component is thinned out to so many pixels
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to half of the neighbours; the other half are their way back


@dataclass(frozen=True)
class Scribbles:
    """In each connected component of each class a stroke along its middle, as a skeleton would run.

    Attributes:
        length: share of the component's longest path that is drawn, beginning anywhere on it.
        width: of the stroke, pixels; it never leaves the component.
    """

    length: float = 0.6
    width: int = 3

    def __call__(self, mask: UInt8[np.ndarray, " h w"], rng: np.random.Generator) -> UInt8[np.ndarray, " h w"]:
        """The mask, 255 but for the scribbles."""
        found = np.full_like(mask, UNKNOWN)
        for label, window, inside in components(mask):
            path = _path(inside, rng)
            drawn = max(1, round(self.length * len(path)))
            start = rng.integers(len(path) - drawn + 1)
            stroke = np.zeros(inside.shape, np.uint8)
            points = path[start : start + drawn, ::-1].astype(np.int32)
            cv2.polylines(stroke, [points[:, None]], isClosed=False, color=1, thickness=self.width)
            stroke[tuple(path[start : start + drawn].T)] = 1  # OpenCV draws no line of a single point
            found[window][(stroke == 1) & inside] = label
        return found


def _path(inside: Bool[np.ndarray, " i j"], rng: np.random.Generator) -> Int[np.ndarray, " n 2"]:
    """From one end of a component to another, by its middle: pixels near the edge are dear."""
    deep = depth(inside)
    step = int(np.ceil(np.sqrt(inside.sum() / _NODES)))
    top, left = (int(place) % step for place in np.unravel_index(deep.argmax(), deep.shape))
    coarse = deep[top::step, left::step]
    graph, node = _graph(coarse)
    start = node[np.unravel_index(coarse.argmax(), coarse.shape)]  # the rest of what is thinned out may fall apart
    reached = np.flatnonzero(np.isfinite(dijkstra(graph, indices=start)))
    away = dijkstra(graph, indices=rng.choice(reached))
    end = np.where(np.isfinite(away), away, -1).argmax()
    away, before = dijkstra(graph, indices=end, return_predecessors=True)
    place = np.where(np.isfinite(away), away, -1).argmax()
    path = [place]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return np.argwhere(coarse > 0)[path] * step + [top, left]


def _graph(deep: Float[np.ndarray, " i j"]) -> tuple[csr_matrix, Int[np.ndarray, " i j"]]:
    """Edges between neighbours inside, the longer the nearer they are to the border, and the number of each pixel."""
    node = np.cumsum(deep.ravel() > 0).reshape(deep.shape) - 1
    ends, costs = [], []
    height, width = deep.shape
    for down, right in _STEPS:
        here = (slice(0, height - down), slice(max(0, -right), width - max(0, right)))
        there = (slice(down, height), slice(max(0, right), width - max(0, -right)))
        both = (deep[here] > 0) & (deep[there] > 0)
        ends.append(np.stack([node[here][both], node[there][both]]))
        costs.append(np.hypot(down, right) * 2 / (deep[here][both] + deep[there][both]))
    a, b = np.concatenate(ends, axis=1)
    count = int((deep > 0).sum())
    cost = np.concatenate(costs)
    return csr_matrix((np.tile(cost, 2), (np.append(a, b), np.append(b, a))), (count, count)), node
