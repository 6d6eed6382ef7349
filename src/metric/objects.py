"""Objects that were found beside those that are there, over a whole set, and any scores of them."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torchmetrics import Metric

from src.data.sample import Instances
from src.metric.kept import Kept

Pair = tuple[Kept, Kept]  # of one image: found, and there


class Objects(Metric):
    """Keeps the objects of every image, masks as run lengths on the CPU, and computes scores of all of them at once.

    Processes hand what they kept to the first one, which computes and tells the others. The order of the images is
    that of the dataset if the processes took its batches in turn, as `src.data.sampler` has it; it decides between
    detections of equal score and nothing else, and scores are the same for any number of processes.
    """

    is_differentiable = False
    full_state_update = False
    batches: list[tuple[Pair, ...]]

    def __init__(
        self, scores: Callable[[Sequence[Pair]], dict[str, float]], labels: Iterable[int], masks: bool, **options: Any
    ) -> None:
        """Start at nothing.

        Args:
            scores: what `compute` makes of the images; of none it says its names.
            labels: those that are objects'.
            masks: whether scores want them.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(sync_on_compute=False, **options)  # `compute` sees to it
        self.scores, self.labels, self.masks = scores, frozenset(labels), masks
        self.add_state("batches", [], dist_reduce_fx=None)

    def update(self, output: Sequence[Instances], target: Sequence[Instances]) -> None:
        """Keep a batch.

        Args:
            output: found in each image, with scores, in the pixels of its target.
            target: there in each image.

        Raises:
            ValueError: a label is none of an object, or masks of one image differ in size.
        """
        pairs = []
        for found, there in zip(output, target, strict=True):
            self._refuse_strangers(found, "prediction")
            self._refuse_strangers(there, "target")
            if self.masks and found.masks is not None and there.masks is not None:
                _same_size(found.masks, there.masks)
            pairs.append((Kept.of(found, self.masks), Kept.of(there, self.masks)))
        self.batches.append(tuple(pairs))

    def compute(self) -> dict[str, Tensor]:
        """The scores by name, float64; every process gets the same."""
        if not (dist.is_available() and dist.is_initialized()):
            return _tensors(self.scores(list(chain.from_iterable(self.batches))))
        first = dist.get_rank() == 0
        gathered: list[Any] | None = [None] * dist.get_world_size() if first else None
        dist.gather_object(self.batches, gathered)
        told = [self.scores(_in_turn(gathered)) if first else None]
        dist.broadcast_object_list(told)
        return _tensors(told[0])

    def _refuse_strangers(self, objects: Instances, name: str) -> None:
        strange = sorted(set(objects.labels.tolist()) - self.labels)
        if strange:
            raise ValueError(
                f"a {name} has the label {strange[0]}, and the classes whose objects are counted are "
                f"{sorted(self.labels)}: give each object the index of a countable class"
            )

    def _apply(self, fn: Callable, exclude_state: Sequence[str] = "") -> "Objects":
        """What is kept stays on the CPU wherever the module goes."""
        return super()._apply(fn, exclude_state=("batches",))


def _in_turn(gathered: Sequence[Sequence[tuple[Pair, ...]]]) -> list[Pair]:
    """The first batch of each process, then the second of each ..."""
    return [pair for batches in zip_longest(*gathered, fillvalue=()) for batch in batches for pair in batch]


def _tensors(scores: dict[str, float]) -> dict[str, Tensor]:
    return {name: torch.tensor(value, dtype=torch.float64) for name, value in scores.items()}


def _same_size(output: Tensor, target: Tensor) -> None:
    if output.shape[1:] != target.shape[1:]:
        raise ValueError(
            f"masks of the prediction are {tuple(output.shape[1:])} and those of the target {tuple(target.shape[1:])}: "
            "bring both to the size of the file"
        )
