"""Images of any sizes -> one batch, at the size that a detector wants to see."""

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from src.model.normalize import Normalize


class Resize(GeneralizedRCNNTransform):
    """torchvision's, but for the normalisation, which is the backbone's; images may also stay as they are.

    Args:
        min_size: the shorter side in pixels, or several of which training draws one; None leaves images as they are.
        max_size: no longer side exceeds it; None for no bound.
        divisor: the batch's sides are multiples of it.
        normalize: the backbone's, or None: padding is what it makes a zero of.

    Raises:
        ValueError: a bound without a size.
    """

    def __init__(
        self,
        min_size: int | Sequence[int] | None,
        max_size: int | None,
        divisor: int,
        normalize: Normalize | None,
    ) -> None:
        if max_size and not min_size:
            raise ValueError(f"model.max_size={max_size} bounds a size, and there is none: say model.min_size as well")
        super().__init__(min_size or 0, max_size or float("inf"), [0.0], [1.0], divisor)
        self.as_they_are, self.statistics = not min_size, normalize

    def normalize(self, image: Tensor) -> Tensor:
        return image

    def resize(self, image: Tensor, target: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        return (image, target) if self.as_they_are else super().resize(image, target)

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        batch = super().batch_images(images, size_divisible)
        if isinstance(self.statistics, nn.Module):
            for place, image in zip(batch, images, strict=True):
                height, width = image.shape[-2:]
                place[:, height:] = self.statistics.mean
                place[:, :, width:] = self.statistics.mean
        return batch
