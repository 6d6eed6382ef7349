"""CIE L*a*b* with the white of sRGB, D65 (CIE 15:2004; IEC 61966-2-1), on tensors of any device."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE = tuple(sum(row) for row in _XYZ)  # so that grey has no colour at all
_LINEAR = torch.tensor(_XYZ, dtype=torch.float64).inverse().tolist()
_KNEE = 6 / 29  # below its cube the root is replaced by a line


def lab(image: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """sRGB in [0, 1] -> L from 0 to 100, a and b: from green to red and from blue to yellow, within ±110."""
    linear = torch.where(image > 0.04045, ((image.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, image / 12.92)
    ratios = [part / white for part, white in zip(_mixed(_XYZ, linear), _WHITE, strict=True)]
    x, y, z = (torch.where(t > _KNEE**3, t.clamp_min(_KNEE**3) ** (1 / 3), t / (3 * _KNEE**2) + 4 / 29) for t in ratios)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-3)


def srgb(image: Float[Tensor, "*b 3 h w"]) -> Float[Tensor, "*b 3 h w"]:
    """The inverse of `lab`, within 1e-4; of a colour that sRGB has not, each channel is cut to [0, 1]."""
    lightness, a, b = image.unbind(-3)
    y = (lightness + 16) / 116
    roots = torch.stack([y + a / 500, y, y - b / 200], dim=-3)
    ratios = torch.where(roots > _KNEE, roots**3, 3 * _KNEE**2 * (roots - 4 / 29))
    xyz = torch.stack([part * white for part, white in zip(ratios.unbind(-3), _WHITE, strict=True)], dim=-3)
    linear = torch.stack(_mixed(_LINEAR, xyz), dim=-3)
    curved = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, curved, 12.92 * linear).clamp(0, 1)


def _mixed(matrix: Sequence[Sequence[float]], image: Tensor) -> list[Tensor]:
    """The matrix times each pixel's channels; no matmul, which autocast would do in half precision."""
    first, second, third = image.unbind(-3)
    return [row[0] * first + row[1] * second + row[2] * third for row in matrix]
