"""The parts of an image that published figures of depth are taken from."""

from typing import Literal

Crop = Literal["none", "eigen", "garg"]

# Top, bottom, left and right, as shares of height and width.
_WINDOWS: dict[str, tuple[float, float, float, float]] = {
    "none": (0, 1, 0, 1),
    "eigen": (45 / 480, 471 / 480, 41 / 640, 601 / 640),  # NYU, [45:471, 41:601] of 480×640 (Eigen et al., 2014)
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),  # KITTI (Garg et al., 2016)
}
_SLACK = 1e-6  # of a pixel: 471/480 of 480 is 471, whatever the rounding


def window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """The rows and columns of an image that are scored; the window scales with the image.

    Args:
        crop: `none` is the whole image, `eigen` NYU's, `garg` KITTI's. Edges are rounded down, as usual.
    """
    top, bottom, left, right = _WINDOWS[crop]
    rows, columns = (
        [int(share * length + _SLACK) for share in shares]
        for shares, length in (((top, bottom), height), ((left, right), width))
    )
    return slice(*rows), slice(*columns)
