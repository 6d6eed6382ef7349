"""Superpixels by SLIC (Achanta et al., 2012): small connected regions of one colour."""

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from scipy.ndimage import maximum
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from torch import Tensor

_ROUNDS = 10  # of k-means; the paper's figure


def superpixels(image: Float[Tensor, " c h w"], count: int, compactness: float | int = 10) -> Int[Tensor, " h w"]:
    """Each pixel's superpixel, numbered from 0; each of them is connected (by edges), about `count` in all.

    k-means over lightness, colour and place, where a pixel sees the centres of its own and the eight cells around it of
    the initial grid, by the distance sqrt(dc² + (ds / S)² m²) with S the side of a cell. Centres begin as the means of
    the cells, so that none lies on an edge.

    Args:
        image: in [0, 1]; three channels are sRGB and are compared in Lab, others as they are, times 100.
        count: of the superpixels.
        compactness: m, the weight of a cell's side against colour; in Lab, 10 follows edges and 40 is nearly a grid.

    Raises:
        ValueError: count or compactness is not positive.
    """
    if count < 1 or compactness <= 0:
        raise ValueError(f"{count} superpixels of compactness {compactness}: both must be positive")
    height, width = image.shape[1:]
    cells = _Cells(height, width, count)
    scale = compactness / np.sqrt(height * width / (cells.rows * cells.columns))
    y, x = np.mgrid[:height, :width].astype(np.float32) * np.float32(scale)
    labels = cells.clustered(np.dstack([_color(image), y, x]))
    return torch.from_numpy(_connected(labels, smallest=height * width / (cells.rows * cells.columns) / 4))


class _Cells:
    """A grid of cells of equal size over a picture; the last ones of a row may share pixels with their neighbours."""

    def __init__(self, height: int, width: int, count: int) -> None:
        side = np.sqrt(height * width / count)
        self.rows = int(np.clip(round(height / side), 1, min(height, count)))
        self.columns = int(np.clip(round(count / self.rows), 1, width))
        self.size = (height, width)
        self.y, valid_y = _intervals(height, self.rows)
        self.x, valid_x = _intervals(width, self.columns)
        self.valid = valid_y[:, None, :, None] & valid_x[None, :, None, :]  # [rows columns i j]
        places = [np.clip(np.arange(n)[:, None] + [-1, 0, 1], 0, n - 1) for n in (self.rows, self.columns)]
        near = places[0][:, None, :, None] * self.columns + places[1][None, :, None, :]
        self.near = near.reshape(self.rows * self.columns, 9)  # the cells around each, itself included

    def clustered(self, features: Float32[np.ndarray, " h w d"]) -> Int[np.ndarray, " h w"]:
        """The centre that is nearest to each pixel after the last round."""
        parts = self._split(features)  # [cells pixels d]
        inside = self.valid.reshape(parts.shape[:2])
        anchors = parts.mean(1, keepdims=True)  # all is computed relative to them, for precision
        local = parts - anchors
        nearest = np.broadcast_to(np.arange(len(parts))[:, None], parts.shape[:2])
        for _ in range(_ROUNDS):
            centers = _means(parts[inside], nearest[inside], len(parts))[self.near] - anchors  # [cells 9 d]
            cost = local @ (-2 * centers.transpose(0, 2, 1))  # |f - c|² without |f|², which is the same for all nine
            cost += np.square(centers).sum(2)[:, None]
            nearest = np.take_along_axis(self.near, cost.argmin(2), axis=1)
        return self._joined(nearest)

    def _split(self, image: Float32[np.ndarray, " h w d"]) -> Float32[np.ndarray, " n p d"]:
        parts = image[self.y[:, None, :, None], self.x[None, :, None, :]]
        return parts.reshape(self.rows * self.columns, -1, image.shape[2])

    def _joined(self, parts: Int[np.ndarray, " n p"]) -> Int[np.ndarray, " h w"]:
        found = np.empty(self.size, np.int64)
        y, x = np.broadcast_arrays(self.y[:, None, :, None], self.x[None, :, None, :])
        found[y[self.valid], x[self.valid]] = parts.reshape(self.valid.shape)[self.valid]
        return found


def _intervals(length: int, count: int) -> tuple[Int[np.ndarray, " n i"], Bool[np.ndarray, " n i"]]:
    """The pixels of `count` even parts, filled up to one length with pixels that do not count."""
    bounds = np.arange(count + 1) * length // count
    index = bounds[:-1, None] + np.arange(np.diff(bounds).max())
    return np.minimum(index, length - 1), index < bounds[1:, None]


def _means(
    values: Float32[np.ndarray, " n d"], groups: Int[np.ndarray, " n"], count: int
) -> Float32[np.ndarray, " k d"]:
    """Of each group; an empty one lies so far away that no pixel chooses it."""
    total = np.bincount(groups, minlength=count)
    sums = np.stack([np.bincount(groups, column, count) for column in values.T], axis=1)
    return np.where(total[:, None] > 0, sums / np.maximum(total, 1)[:, None], 1e5).astype(np.float32)


def _color(image: Float[Tensor, " c h w"]) -> Float32[np.ndarray, " h w c"]:
    color = np.ascontiguousarray(image.numpy().transpose(1, 2, 0), np.float32)
    return cv2.cvtColor(color, cv2.COLOR_RGB2Lab) if color.shape[2] == 3 else 100 * color


def _connected(labels: Int[np.ndarray, " h w"], smallest: float | int) -> Int[np.ndarray, " h w"]:
    """The largest part of each label and other parts of some size stay; the rest goes to the longest shared border."""
    parts = _parts(labels)
    while True:
        count = parts.max() + 1
        area = np.bincount(parts.ravel(), minlength=count)
        label = np.zeros(count, np.int64)
        label[parts] = labels
        largest = maximum(area, label, np.arange(label.max() + 1))
        keeps = (area >= smallest) | (area == largest[label])
        if keeps.all():
            return parts
        pairs = _touching(parts)
        lost, keeper = np.concatenate([pairs, pairs[::-1]], axis=1)
        chosen = ~keeps[lost] & keeps[keeper]
        borders, lengths = np.unique(lost[chosen] * count + keeper[chosen], return_counts=True)
        borders = borders[lengths.argsort(kind="stable")]  # so that the longest is written last
        goes = np.arange(count)  # who touches only the lost waits for the next round
        goes[borders // count] = borders % count
        labels, parts = label[goes][parts], np.unique(goes, return_inverse=True)[1][parts]


def _parts(labels: Int[np.ndarray, " h w"]) -> Int[np.ndarray, " h w"]:
    """The connected parts of equal labels, numbered from 0."""
    pixels = np.arange(labels.size).reshape(labels.shape)
    a, b = _touching(pixels)
    same = labels.ravel()[a] == labels.ravel()[b]
    graph = coo_matrix((np.ones(same.sum(), bool), (a[same], b[same])), (labels.size, labels.size))
    return connected_components(graph, directed=False)[1].reshape(labels.shape).astype(np.int64)


def _touching(parts: Int[np.ndarray, " h w"]) -> Int[np.ndarray, " 2 n"]:
    """The parts on both sides of each edge between two pixels."""
    right = [parts[:, :-1].ravel(), parts[:, 1:].ravel()]
    below = [parts[:-1].ravel(), parts[1:].ravel()]
    return np.concatenate([right, below], axis=1)
