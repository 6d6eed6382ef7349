"""Random brightness, contrast, saturation and hue, as one linear map of the channels."""

import math

import cv2
import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor

from src.data.description import Description

LUMA = (0.299, 0.587, 0.114)  # of R, G and B, ITU-R BT.601


class Jitter:
    """Change the colours of an image by random factors, in its own type and within its own value range.

    A strength s draws a factor uniformly from [max(0, 1 - s), 1 + s]: brightness scales what is above black, contrast
    the distance from the mean grey, saturation the distance from each pixel's own grey. `hue` turns the colours about
    the grey axis of RGB, by up to that fraction of a full turn. All four together are one 3×3 matrix and one offset,
    rounded and clipped once. Brightness and contrast work with any number of channels.

    Raises:
        ValueError: a strength out of range, or saturation or hue for an image that is not RGB.
    """

    def __init__(
        self,
        description: Description,
        brightness: float = 0.0,
        contrast: float = 0.0,
        saturation: float = 0.0,
        hue: float = 0.0,
    ) -> None:
        for name, strength in {"brightness": brightness, "contrast": contrast, "saturation": saturation}.items():
            if not 0 <= strength < math.inf:
                raise ValueError(f"{name}={strength} is no strength: give 0 (off) or more, 0.2 is usual")
        if not 0 <= hue <= 0.5:
            raise ValueError(f"hue={hue} is no fraction of a turn: give 0 (off) to 0.5")
        if (saturation or hue) and description.channels != 3:
            raise ValueError(
                f"saturation={saturation} and hue={hue} need an RGB image, and this data has {description.channels} "
                "channels: set both to 0, brightness and contrast work with any number"
            )
        self.brightness, self.contrast, self.saturation, self.hue = brightness, contrast, saturation, hue
        self.black, self.white = description.value_range
        grey = LUMA if description.channels == 3 else (1 / description.channels,) * description.channels
        self.grey = torch.tensor(grey)

    def __call__(self, image: Num[Tensor, " c h w"]) -> Num[Tensor, " c h w"]:
        if not (self.brightness or self.contrast or self.saturation or self.hue):
            return image
        brightness, contrast = _factor(self.brightness), _factor(self.contrast)
        matrix = brightness * contrast * self._colour()
        # Every colour matrix keeps greys, so the offset of the contrast passes it unchanged.
        offset = (1 - contrast) * brightness * (self._mean(image) - self.black)
        offset = self.black + offset - self.black * matrix.sum(1, keepdim=True)
        return self._linear(image, matrix, offset)

    def _mean(self, image: Num[Tensor, " c h w"]) -> float:
        """The mean grey."""
        means = [cv2.mean(plane)[0] if image.dtype == torch.uint8 else plane.mean() for plane in image.numpy()]
        return float(sum(weight * float(mean) for weight, mean in zip(self.grey.tolist(), means, strict=True)))

    def _linear(
        self, image: Num[Tensor, " c h w"], matrix: Float[Tensor, "c c"], offset: Float[Tensor, "c 1"]
    ) -> Num[Tensor, " c h w"]:
        """matrix · channels + offset, clipped to the value range, and rounded where the type is whole numbers."""
        if image.dtype == torch.uint8 and len(image) <= 4 and (self.black, self.white) == (0, 255):
            pixels = cv2.merge(list(image.numpy()))  # OpenCV rounds and clips by itself, four times as fast as below
            pixels = cv2.transform(pixels, torch.cat([matrix, offset], 1).numpy())
            return torch.from_numpy(np.stack(cv2.split(pixels)))
        exact = torch.promote_types(image.dtype, torch.float32) if image.is_floating_point() else torch.float32
        values = torch.addmm(offset.to(exact), matrix.to(exact), image.flatten(1).to(exact))
        values.clamp_(self.black, self.white)
        return (values if image.is_floating_point() else values.round_()).to(image.dtype).view(image.shape)

    def _colour(self) -> Float[Tensor, "c c"]:
        """Saturation, then hue."""
        saturation = _factor(self.saturation)
        eye = torch.eye(len(self.grey))
        matrix = saturation * eye + (1 - saturation) * self.grey.expand_as(eye)
        return _about_grey(math.tau * _uniform(-self.hue, self.hue)) @ matrix if self.hue else matrix


def _about_grey(angle: float) -> Float[Tensor, "3 3"]:
    """The rotation of RGB by `angle`, in radians, about (1, 1, 1)."""
    cosine, sine = math.cos(angle), math.sin(angle) / math.sqrt(3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    return cosine * torch.eye(3) + (1 - cosine) / 3 * torch.ones(3, 3) + sine * cross


def _factor(strength: float) -> float:
    return _uniform(max(0.0, 1 - strength), 1 + strength) if strength else 1.0


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * torch.rand(()).item()
