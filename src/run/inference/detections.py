"""Files to objects: a detector's results, label images, class maps, and pictures of what it found."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxtyping import Num
from torch import Tensor

from src.data.sample import Instances
from src.run.inference.finder import Finder
from src.run.inference.findings import Findings
from src.run.inference.found import Found
from src.run.inference.identity import Identity
from src.run.inference.index import Index
from src.run.inference.predictor import Unpredictable
from src.run.inference.reader import Read
from src.run.inference.source import Source
from src.run.inference.writing import apart
from src.run.memory import out_of_memory

_FACTS = ("score_threshold", "top_k", "tile_above")  # options that have a say in the objects


class Detections:
    """What src.predict does with the checkpoint of a detector."""

    def __init__(self, finder: Finder, options: dict[str, Any], folder: Path) -> None:
        """Take a detector.

        Args:
            options: conf/predict.yaml as plain containers.
            folder: of the outputs.

        Raises:
            ValueError: label images are wanted of objects that have no masks, or the annotation file is not usable.
        """
        self._finder, self._above, self._batch_size = finder, options["tile_above"], options["batch_size"]
        self.description = finder.task.description
        masks = finder.task.model.masks
        if options["objects"] and not masks:
            raise ValueError("objects=true: this checkpoint finds boxes and no masks: say crops=true, or false")
        wanted = {key: options[key] for key in ("overlay", "objects", "crops")}
        self.outputs = Findings(folder, self.description, masks, **wanted)
        self.facts = {key: options[key] for key in _FACTS} | {"crops": options["crops"]}
        self._identity = Identity(self.description, options["coco"])
        self._sources: dict[Source, dict[str, Any]] = {}

    def at_once(self, size: tuple[int, int]) -> int:
        """How many images of this size are predicted together."""
        return max(1, min(self._batch_size, self._above // (size[0] * size[1])))

    def check(self, sources: Sequence[Source]) -> None:
        """See that no output would take the place of another, and that each image has an id.

        Raises:
            ValueError: one of these fails.
        """
        apart(sources, self.outputs.all)
        self._sources = self._identity.of(sources)

    def __call__(self, read: Read, index: Index) -> dict[Source, str]:
        """Predict and write a batch; what failed."""
        size = tuple(read.images.shape[-2:])
        seen = self._seen(size)
        try:
            answers = self._found(read.images, seen)
        except Unpredictable as error:
            return {source: f"{source.path}: {error}" for source in read.sources}
        for source, image, objects in zip(read.sources, read.images, answers, strict=True):
            found = Found(objects, seen, size, self.description)
            self.outputs.save(source, image, found, index.stamp(source))
            index.written(source)
        return {}

    def finish(self, complete: Sequence[Source]) -> None:
        """Write the results of all files that are complete."""
        done = set(complete)
        numbers = {source: known for source, known in self._sources.items() if source in done}
        self.outputs.together(numbers, self._identity.categories)

    def _seen(self, size: tuple[int, int]) -> tuple[int, int]:
        """Where an image is larger than `tile_above`, masks are made smaller, and enlarged one by one."""
        shrink = min(1.0, math.sqrt(self._above / (size[0] * size[1])))
        return max(1, math.floor(size[0] * shrink)), max(1, math.floor(size[1] * shrink))

    def _found(self, images: Num[Tensor, "b c h w"], seen: tuple[int, int]) -> list[Instances]:
        """As many images at once as memory allows, fewer from now on where it does not.

        Raises:
            Unpredictable: it does not allow a single one.
        """
        found: list[Instances] = []
        while len(found) < len(images):
            together = min(self._batch_size, len(images) - len(found))
            try:
                found += self._finder(images[len(found) : len(found) + together], seen)
                continue
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            if together == 1:  # out here, where what the failed attempt held is let go
                height, width = self._finder.size or tuple(images.shape[-2:])
                raise Unpredictable(
                    f"out of memory even with one image of {height}x{width}: say a smaller data.size=[height,width], "
                    "free some memory, or use another device"
                )
            self._batch_size = together // 2
            print(f"out of memory with {together} at once: going on with {self._batch_size}")
        return found
