"""An image file and the mask file that belongs to it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors

from src.data import decode
from src.data.sample import Sample
from src.data.values import Values


@dataclass(frozen=True)
class Pair:
    """What the datasets on disk are made of."""

    name: str
    image: Path
    mask: Path | tuple[Path, ...] | None = None  # a file per class where classes overlap
    page: int | None = None  # of both, where they are volumes

    def sample(
        self,
        values: Values | None = None,
        channels: int | None = None,
        max_pixels: int = decode.MAX_PIXELS,
        read: Callable[[Path], np.ndarray] | None = None,
        dtype: type | None = np.uint8,
    ) -> Sample:
        """Both files, decoded.

        Args:
            values: what the mask's values mean; not needed where there is no mask.
            channels: of the image, see `decode.image`.
            read: reads the labels [h w] of a mask that is no image file.
            dtype: what the image's values must be; None leaves that to the caller.

        Raises:
            ValueError: either file cannot be read, is of another type, a value is undeclared, or the sizes differ.
        """
        image = decode.image(self.image, channels, self.page, max_pixels)
        if dtype and image.numpy().dtype != dtype:
            said = f"{self.image} holds {image.numpy().dtype}, where this dataset has {np.dtype(dtype)}"
            raise ValueError(f"{said}: convert it, or read the files with data=folder")
        size = (image.shape[1], image.shape[2])

        def mask(path: Path) -> Tensor:
            labels = read(path) if read else decode.labels(path, values.colored, self.page, max_pixels)
            if labels.shape[:2] != size:
                raise ValueError(_mismatch(self.image, size, path, labels.shape[:2], self.page))
            return values(labels, path)

        found = None
        if isinstance(self.mask, tuple):
            found = torch.stack([mask(path) for path in self.mask])
        elif self.mask is not None:
            found = mask(self.mask)
        return Sample(
            image=tv_tensors.Image(image),
            mask=None if found is None else tv_tensors.Mask(found),
            name=self.name,
            size=size,
        )

    def size(self) -> tuple[int, int]:
        """Height and width as displayed, from the image's header."""
        return decode.size(self.image, self.page)

    def files(self) -> tuple[str, ...]:
        """The paths of the files."""
        masks = self.mask if isinstance(self.mask, tuple) else (self.mask,)
        return tuple(str(path) for path in (self.image, *masks) if path is not None)


def _mismatch(image: Path, size: tuple[int, int], mask: Path, other: tuple[int, int], page: int | None) -> str:
    said = f"{image} is {size[0]}x{size[1]} (height x width), its mask {mask} is {other[0]}x{other[1]}"
    if decode.opened(image, page, max_pixels=None).stored == other != size:
        return f"{said}: they match without the image's EXIF orientation, so draw the mask on the upright picture"
    if mask.suffix != ".mat" and decode.opened(mask, page, max_pixels=None).stored == size:
        return f"{said}: they match without the mask's own orientation tag, so remove that tag"
    if other == size[::-1]:
        return f"{said}: one of them is transposed"
    return f"{said}: a mask needs one pixel for each of its image's"
