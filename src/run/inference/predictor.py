"""Images to rows of logits or numbers: whole where that is what an evaluation does, in tiles where it would not fit."""

from collections.abc import Callable, Iterator, Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor

from src.data.transform.fit import extent
from src.run.inference.blend import blended, enlarged
from src.run.inference.ensemble import Ensemble
from src.run.inference.fused import Fused
from src.run.memory import out_of_memory

_TILE = 512  # of images that are too large, unless it is said
_SMALLEST = 32  # tiles are not halved below this
_STRIP = 2**21  # pixels whose logits are handed on at a time

Band = tuple[int, int, Float[Tensor, "k rows w"]]  # which image, its top row, logits or numbers


class Unpredictable(ValueError):
    """This image cannot be predicted with these options and this memory; others may."""


class Predictor:
    """Runs an ensemble within the memory there is.

    An image of up to `tile_above` pixels is seen whole. A larger one is resized, as any other, where the checkpoint
    resizes its images (data.size), and only its answer is made band by band; otherwise it is cut into tiles. A tile
    is treated as an image: where `tile` is given and the checkpoint resizes, each tile is resized.
    """

    def __init__(
        self,
        ensemble: Ensemble | Fused,
        tile: int | Sequence[int] | None = None,
        overlap: float | int = 0.25,
        tile_above: int = 4_000_000,
        batch_size: int = 8,
    ) -> None:
        """Decide how images are cut.

        Args:
            tile: height and width, or one number; None cuts only images that are too large.
            overlap: share of a tile that it has in common with the next, at least.
            tile_above: pixels of an image or of several at once, that need not be cut.
            batch_size: images or tiles at once.

        Raises:
            ValueError: one of these is out of range.
        """
        if not 0 <= overlap <= 0.9:
            raise ValueError(f"overlap={overlap}: a share of the tile, from 0 to 0.9")
        if batch_size < 1 or tile_above < 1:
            raise ValueError(f"batch_size={batch_size}, tile_above={tile_above}: each at least 1")
        self._ensemble, self._overlap, self._above = ensemble, overlap, tile_above
        self._tile = None if tile is None else extent("tile", [tile, tile] if isinstance(tile, int) else tile)
        self._automatic = (_TILE, _TILE)
        self._limit, self._batch_size = tile_above, batch_size

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images or tiles of this size are predicted together."""
        return max(1, min(self._batch_size, self._limit // (size[0] * size[1])))

    @torch.inference_mode()
    def __call__(self, images: Num[Tensor, "b c h w"], write: Callable[[int, int, Tensor], None]) -> None:
        """Hand each image's logits to `write(index, top, logits [k rows w])`, rows from the top to the bottom.

        Where memory runs out it begins anew with fewer images or smaller tiles, and says so.

        Raises:
            Unpredictable: memory runs out however small the tiles are.
        """
        while True:
            try:
                for index, top, logits in self._bands(images):
                    write(index, top, logits)
                return
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            self._go_smaller(images)  # out here, where what the failed attempt held is let go

    def _bands(self, images: Tensor) -> Iterator[Band]:
        size = tuple(images.shape[-2:])
        tile = self._cut(size)
        for index, image in enumerate(images if tile or self._resized(size) else ()):
            bands = self._tiled(image, tile) if tile else enlarged(self._seen(image), size)
            yield from ((index, top, logits) for top, logits in bands)
        if not tile and not self._resized(size):
            count = self.at_once(size)
            for first in range(0, len(images), count):
                outputs = self._ensemble(images[first : first + count], size)
                yield from ((first + index, 0, logits) for index, logits in enumerate(outputs))

    def _cut(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """The tiles of an image of this size; None where it is seen whole."""
        tile = self._tile or size
        if self._tile is None and size[0] * size[1] > self._above and not self._resized(size):
            if any(self._ensemble.sizes):
                raise Unpredictable(
                    f"an image of {size[0]}x{size[1]} is too large to be seen whole, and the checkpoints differ in "
                    "whether they resize their images (data.size): say tile=..., or a larger tile_above"
                )
            tile = self._automatic
        tile = (min(tile[0], size[0]), min(tile[1], size[1]))
        return None if tile == size else tile

    def _resized(self, size: tuple[int, int]) -> bool:
        """Whether the image is large, and the network sees it small."""
        return self._tile is None and size[0] * size[1] > self._above and None not in self._ensemble.sizes

    def _seen(self, image: Tensor) -> Tensor:
        """Logits at the size that the first network sees."""
        return self._ensemble(image[None], self._ensemble.sizes[0])[0]

    def _tiled(self, image: Tensor, tile: tuple[int, int]) -> Iterator[tuple[int, Tensor]]:
        def predicted(tiles: Tensor) -> Tensor:
            return self._ensemble.mixable(self._ensemble(tiles, tile))

        rows = max(1, _STRIP // image.shape[2])
        for top, band in blended(image, tile, self._overlap, self.at_once(tile), predicted):
            for index, strip in enumerate(band.split(rows, dim=1)):
                yield top + index * rows, self._ensemble.unmixed(strip[None])[0]

    def _go_smaller(self, images: Tensor) -> None:
        size = tuple(images.shape[-2:])
        tile = self._cut(size)
        used, together = (tile, self.at_once(tile)) if tile else (size, min(self.at_once(size), len(images)))
        count = 1 if self._resized(size) else together
        if count > 1:
            self._batch_size = count // 2
            print(f"out of memory with {count} at once: going on with {self._batch_size}")
        elif None not in self._ensemble.sizes and self._tile is None and not self._resized(size):
            self._above = size[0] * size[1] - 1
            print(f"out of memory with an answer of {size[0]}x{size[1]}: going on with bands of it")
        elif self._resized(size) or min(used) // 2 < _SMALLEST:
            seen = self._ensemble.sizes[0] if self._resized(size) else used
            raise Unpredictable(
                f"out of memory even with {seen[0]}x{seen[1]} at once: free some, or use another device"
            )
        else:
            self._halve(size, used)

    def _halve(self, size: tuple[int, int], used: tuple[int, int]) -> None:
        """Smaller tiles from now on; images that are smaller than this one are still seen whole, unless tile= says."""
        smaller = (used[0] // 2, used[1] // 2)
        if self._tile is None:
            self._automatic, self._above = smaller, min(self._above, size[0] * size[1] - 1)
        else:
            self._tile = smaller
        print(f"out of memory with {used[0]}x{used[1]}: going on with tiles of {smaller[0]}x{smaller[1]}")
