"""What of an image a random move of the camera shows, and how each field of a sample looks through it."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int32, Num, Shaped, UInt8
from torch import Tensor
from torch.nn.functional import grid_sample
from torchvision import tv_tensors

from src.data.field import VOID, Dense, rotation
from src.data.transform.fit import resized
from src.data.transform.span import Span

_ROUNDS = 20  # of the search for where a bent image shows a point: to 0.1 pixel where the bend nearly folds it


@dataclass(frozen=True)
class View:
    """Rows and columns of a source, seen from up close, mirrored, turned about their middle and bent, in one pass.

    Image and targets share the same rows, columns and coordinates, so that they stay aligned to the pixel. An upright
    view (no angle, no displacement) is a slice, a resize and a mirror; another one is sampled at `_source`.
    """

    rows: Span
    columns: Span
    zoom: float = 1.0  # what the depth is divided by; the rest of the scale is the camera's
    angle: float = 0.0  # degrees, clockwise
    displacement: Float[Tensor, "2 h w"] | None = None  # x and y, in pixels of the output

    def image(self, image: Num[Tensor, " c i j"]) -> Num[Tensor, " c m n"]:
        """The part of the image that can be seen, in its own type; `framed` puts it in its place."""
        if not self._upright:
            return self._sampled(image)
        size = (self.rows.last - self.rows.first, self.columns.last - self.columns.first)
        window = image[:, self.rows.start : self.rows.stop, self.columns.start : self.columns.stop]
        sides = [axis for axis, span in ((-2, self.rows), (-1, self.columns)) if span.mirrored]
        seen = resized(window, size)
        return _bits(seen).flip(sides).view(seen.dtype) if sides else seen

    def framed(self, seen: Shaped[Tensor, "*c m n"], void: float | int) -> Shaped[Tensor, "*c h w"]:
        """What can be seen of an image or a field in its place of the output, and `void` around it."""
        if not self._upright:
            outside = torch.tensor(void, dtype=seen.dtype)
            return torch.where(self._inside, _bits(seen), _bits(outside)).view(seen.dtype)
        if self.rows.full and self.columns.full:
            return seen
        frame = torch.full((*seen.shape[:-2], self.rows.length, self.columns.length), void, dtype=seen.dtype)
        frame[..., self.rows.first : self.rows.last, self.columns.first : self.columns.last] = seen
        return frame

    def field(self, field: tv_tensors.Mask | Dense) -> tv_tensors.Mask | Dense:
        """A dense target through the view: the nearest pixel, never a blend, and unknown where nothing is seen."""
        plain = field.as_subclass(Tensor)
        if self._upright:
            columns = plain.numpy()[..., self.columns.index()]
            seen = torch.from_numpy(columns[..., self.rows.index(), :])
        else:
            seen = plain.flatten(-2).index_select(-1, self._index).unflatten(-1, self._inside.shape)
        framed = tv_tensors.wrap(self.framed(seen, VOID[type(field)]), like=field)
        return framed.moved(self._turn, self.zoom) if isinstance(field, Dense) else framed

    def points(self, points: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n 2"]:
        """Where in the output points of the source show up; (x, y) in pixels from the top left corner, for both."""
        place = self._straight(points)
        if self.displacement is not None:
            place = _undone(place, self.displacement)
        return place.to(points.dtype)

    def windows(self, boxes: Float[Tensor, " n 4"]) -> list[tuple[slice, slice]]:
        """Rows and columns of the output outside of which nothing of each box of the source is seen."""
        x, y = self._straight(corners(boxes)).unbind(-1)
        slices = []
        for axis, (place, span) in enumerate([(y, self.rows), (x, self.columns)]):
            bend = 0.0 if self.displacement is None else float(self.displacement[1 - axis].abs().max())
            low, high = (0, span.length) if not self._upright else (span.first, span.last)
            start = (place.amin(1) - bend).floor().clamp(low, high).int().tolist()
            stop = (place.amax(1) + bend).ceil().clamp(low, high).int().tolist()
            slices.append([slice(*ends) for ends in zip(start, stop, strict=True)])
        return list(zip(*slices, strict=True))

    def part(self, mask: UInt8[np.ndarray, "i j"], rows: slice, columns: slice) -> UInt8[np.ndarray, "m n"]:
        """Those rows and columns of what `field` makes of the mask, and 0 where nothing is seen."""
        if self._upright:
            y = self.rows.index()[rows.start - self.rows.first : rows.stop - self.rows.first]
            x = self.columns.index()[columns.start - self.columns.first : columns.stop - self.columns.first]
            return mask[y[:, None], x]
        inside = self._inside.numpy()
        index = self._index.numpy().reshape(inside.shape)
        return mask.reshape(-1)[index[rows, columns]] * inside[rows, columns]

    def camera(self, camera: Float[Tensor, "3 3"]) -> Float[Tensor, "3 3"] | None:
        """The intrinsics under which the seen depth and normals are right; None where the view is bent."""
        if self.displacement is not None:
            return None
        scene = torch.eye(3)  # how the scene moved: turned in the image plane, and nearer by the zoom
        scene[:2, :2] = self._turn * self.zoom
        return torch.linalg.inv(self._to_source) @ camera @ torch.linalg.inv(scene)

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged: by one mirror, not by two, which are half a turn."""
        return self.rows.mirrored != self.columns.mirrored

    @property
    def growth(self) -> float:
        """Area of the output that shows one pixel of the source."""
        return 1 / abs(self.rows.line()[0] * self.columns.line()[0])

    @property
    def _upright(self) -> bool:
        return self.angle == 0 and self.displacement is None

    @property
    def _turn(self) -> Float[Tensor, "2 2"]:
        sides = torch.tensor([-1.0 if span.mirrored else 1.0 for span in (self.columns, self.rows)])
        return torch.diag(sides) @ rotation(self.angle)

    @property
    def _to_source(self) -> Float[Tensor, "3 3"]:
        """Homogeneous: coordinates of the output (x, y, 1) to those of the source, the displacement left aside."""
        (ax, bx), (ay, by) = self.columns.line(), self.rows.line()
        upright = torch.tensor([[ax, 0, bx], [0, ay, by], [0, 0, 1]])
        middle = upright @ torch.tensor([(self.columns.length - 1) / 2, (self.rows.length - 1) / 2, 1])
        turn = torch.eye(3)
        turn[:2, :2] = rotation(-self.angle)
        turn[:2, 2] = middle[:2] - turn[:2, :2] @ middle[:2]
        return turn @ upright

    def _straight(self, points: Float[Tensor, "*n 2"]) -> Float64[Tensor, "*n 2"]:
        """As `points`, the displacement left aside."""
        matrix = torch.linalg.inv(self._to_source.double())
        return (points.double() - 0.5) @ matrix[:2, :2].T + matrix[:2, 2] + 0.5

    @cached_property
    def _source(self) -> Float[Tensor, "2 h w"]:
        """Where in the source each pixel of the output looks, x and y."""
        matrix = self._to_source
        x, y = torch.arange(self.columns.length).float(), torch.arange(self.rows.length).float()[:, None]
        place = torch.stack([a * x + (b * y + c) for a, b, c in matrix[:2].tolist()])
        if self.displacement is not None:
            place += torch.einsum("ij,jhw->ihw", matrix[:2, :2], self.displacement)
        return place

    @cached_property
    def _pixel(self) -> Int32[Tensor, "2 h w"]:
        """Column and row of the source pixel that each pixel of the output looks at."""
        return (self._source + 0.5).floor_().to(torch.int32)

    @cached_property
    def _inside(self) -> Bool[Tensor, "h w"]:
        x, y = self._pixel
        return (x >= 0) & (x < self.columns.source) & (y >= 0) & (y < self.rows.source)

    @cached_property
    def _index(self) -> Int32[Tensor, " n"]:
        """That pixel's place in the flattened source; some valid one where nothing is seen."""
        x, y = self._pixel
        index = y.clamp(0, self.rows.source - 1) * self.columns.source + x.clamp(0, self.columns.source - 1)
        return index.flatten()

    def _sampled(self, image: Num[Tensor, " c i j"]) -> Num[Tensor, " c h w"]:
        """The image at `_source`, bilinear; shrunk first where the view shrinks it, lest fine texture alias."""
        slices, sizes, grid = [], [], []
        for place, span in zip(self._source, (self.columns, self.rows), strict=True):
            scale = max(abs(span.line()[0]), 1.0)
            start = min(max(math.floor(place.min() - scale - 1), 0), span.source - 1)
            stop = max(min(math.ceil(place.max() + scale + 2), span.source), start + 1)
            slices.append(slice(start, stop))
            sizes.append(max(round((stop - start) / scale), 1))
            grid.append((2 * (place - start) + 1) / (stop - start) - 1)
        window = resized(image[:, slices[1], slices[0]], (sizes[1], sizes[0]))
        exact = window if window.is_floating_point() else window.float()
        grid = torch.stack(grid, dim=-1).to(exact.dtype)
        seen = grid_sample(exact[None], grid[None], padding_mode="border", align_corners=False)[0]
        return seen if image.is_floating_point() else seen.round_().to(image.dtype)


def corners(boxes: Float[Tensor, " n 4"]) -> Float[Tensor, " n 4 2"]:
    """The four corners, x and y, of boxes x0 y0 x1 y1."""
    return boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]]


def _undone(place: Float64[Tensor, "*n 2"], displacement: Float[Tensor, "2 h w"]) -> Float64[Tensor, "*n 2"]:
    """Where the displacement shows what would be seen at a place: x such that x + displacement(x) is the place.

    By fixed-point iteration, which converges as long as the image is not folded over itself.
    """
    size = torch.tensor(displacement.shape[:0:-1])
    found = place.reshape(1, 1, -1, 2)
    for _ in range(_ROUNDS):
        grid = (2 * found / size - 1).to(displacement.dtype)
        bend = grid_sample(displacement[None], grid, padding_mode="border", align_corners=False)
        found = place.reshape(1, 1, -1, 2) - bend.movedim(1, -1)
    return found.reshape(place.shape)


def _bits(tensor: Tensor) -> Tensor:
    """uint16 as int16, bit for bit: torch 2.11 neither mirrors nor selects uint16 on a CPU."""
    return tensor.view(torch.int16) if tensor.dtype == torch.uint16 else tensor
