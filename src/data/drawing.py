"""Objects drawn over their image: masks, boxes, names, and the skeletons of those that have keypoints."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from src.data.color import distinct
from src.data.description import Description
from src.data.sample import Instances

_Color = tuple[int, int, int]
_Place = tuple[int, int, int, int]  # first and last column and row: left, top, right, bottom

_OPACITY = 0.45
_CROWD = (150, 150, 150)
_LEFT, _MIDDLE, _RIGHT = (70, 220, 90), (255, 220, 60), (255, 90, 70)  # of keypoints and limbs
_LETTERS = 10  # pixels: smaller ones cannot be read


def drawn(image: UInt8[Tensor, " 3 h w"], objects: Instances, description: Description) -> UInt8[Tensor, " 3 h w"]:
    """The image under its objects, each in a colour of its own, crowds in grey; the best scored, or smallest, on top.

    Name and score, or the name alone, stand where the box has room for them. Limbs and keypoints are green at the
    left, red at the right and yellow between; an annotated keypoint that is hidden is a ring, one that is not labelled
    is left out.
    """
    colors = distinct(len(objects))
    if objects.crowd is not None:
        colors = [_CROWD if crowd else color for color, crowd in zip(colors, objects.crowd.tolist(), strict=True)]
    order = _order(objects)
    picture = image.permute(1, 2, 0).cpu().numpy().copy()
    for index in order if objects.masks is not None else ():
        _lay(picture, objects.masks[index].cpu().numpy() > 0, colors[index])
    canvas = Image.fromarray(picture)
    draw = ImageDraw.Draw(canvas)
    boxes = objects.boxes.double().cpu().nan_to_num().tolist()  # of a model that diverged
    line = max(1, min(canvas.size) // 300)
    for index in order:
        draw.rectangle(_pixels(boxes[index], canvas.size), outline=colors[index], width=line)
    limb = max(1, min(canvas.size) // 160)
    for index in order if objects.keypoints is not None else ():
        _skeleton(draw, objects.keypoints[index].double().cpu(), objects.scores is not None, description, limb)
    _label(draw, [(_said(objects, index, description), boxes[index], colors[index]) for index in reversed(order)])
    return torch.from_numpy(np.array(canvas)).permute(2, 0, 1).contiguous()


def _order(objects: Instances) -> list[int]:
    """From the bottom to the top."""
    if objects.scores is not None:
        return objects.scores.argsort(stable=True).tolist()
    width, height = (objects.boxes[:, 2:] - objects.boxes[:, :2]).unbind(1)
    return (width * height).argsort(descending=True, stable=True).tolist()


def _lay(picture: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"], color: _Color) -> None:
    """Colour laid over the mask, and its outline, which stays within it."""
    picture[mask] = (picture[mask] * (1 - _OPACITY) + np.array(color) * _OPACITY).round()
    wide = np.pad(mask, 1)
    inner = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
    picture[mask & ~inner] = color


def _pixels(box: Sequence[float], size: tuple[int, int]) -> _Place:
    """The first and last column and row of a box, within the picture."""
    width, height = size
    left, top = min(max(round(box[0]), 0), width - 1), min(max(round(box[1]), 0), height - 1)
    return left, top, min(max(round(box[2]) - 1, left), width - 1), min(max(round(box[3]) - 1, top), height - 1)


def _skeleton(
    draw: ImageDraw.ImageDraw,
    keypoints: Float[Tensor, "k 3"],
    predicted: bool,
    description: Description,
    line: int,
) -> None:
    """Limbs between what is labelled, then the points."""
    there = keypoints.isfinite().all(1) & (predicted | (keypoints[:, 2] > 0))
    points = [(x - 0.5, y - 0.5) for x, y, _ in keypoints.tolist()]  # PIL counts from the centre of a pixel
    sides = [_side(name) for name in description.keypoints]
    for start, end in description.skeleton:
        if there[start] and there[end]:
            draw.line([points[start], points[end]], fill=_limb(sides[start], sides[end]), width=line)
    radius = line + 0.5
    for index, (x, y) in enumerate(points):
        if there[index]:
            hidden = not predicted and keypoints[index, 2] == 1
            place = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(place, fill=None if hidden else sides[index], outline=sides[index], width=line)


def _side(name: str) -> _Color:
    return next((color for side, color in (("left", _LEFT), ("right", _RIGHT)) if side in name.lower()), _MIDDLE)


def _limb(start: _Color, end: _Color) -> _Color:
    """A limb is of the side that it leads to; one across the body is of neither."""
    sides = {start, end} - {_MIDDLE}
    return sides.pop() if len(sides) == 1 else _MIDDLE


def _said(objects: Instances, index: int, description: Description) -> list[str]:
    """What an object's label may say, the longest first; not the name where there is only one."""
    score = [] if objects.scores is None else [f"{float(objects.scores[index]):.2f}"]
    if len(description.countable) == 1:
        return score
    name = description.classes[int(objects.labels[index])]
    return [*(f"{name} {number}" for number in score), name]


def _label(draw: ImageDraw.ImageDraw, entries: Sequence[tuple[Sequence[str], Sequence[float], _Color]]) -> None:
    """Labels, best first, where their box or the image above it has room that no other label has taken."""
    width, height = draw.im.size
    font = ImageFont.load_default(max(_LETTERS, min(width, height) // 40))
    taken: list[_Place] = []
    for texts, box, color in entries:
        for text, place in _places(draw, texts, _pixels(box, (width, height)), font):
            if not any(_overlapping(place, other) for other in taken):
                taken.append(place)
                draw.rectangle(place, fill=color)
                x, y, _, _ = draw.textbbox((0, 0), text, font=font)
                draw.text((place[0] + 1 - x, place[1] + 1 - y), text, fill=_readable(color), font=font)
                break


def _places(
    draw: ImageDraw.ImageDraw, texts: Sequence[str], box: _Place, font: ImageFont.FreeTypeFont
) -> Iterator[tuple[str, _Place]]:
    """Where each text may stand: above the box, or in it if it takes no more than a third of its height."""
    left, top, right, bottom = box
    for text in texts:
        x0, y0, x1, y1 = draw.textbbox((0, 0), text, font=font)
        long, tall = math.ceil(x1 - x0) + 2, math.ceil(y1 - y0) + 2
        if long > right - left + 1:
            continue
        if top >= tall:
            yield text, (left, top - tall, left + long - 1, top - 1)
        if 3 * tall <= bottom - top + 1:
            yield text, (left, top, left + long - 1, top + tall - 1)


def _overlapping(one: _Place, other: _Place) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _readable(color: _Color) -> _Color:
    red, green, blue = color
    return (0, 0, 0) if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else (255, 255, 255)
