"""Which samples make a batch: a pure function of seed, epoch and rank, so that a run can be resumed anywhere."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

Key = tuple[int, int]  # number of the pass over the set, and index: what a sample's augmentation is seeded with


class Shuffled:
    """Batches for training; every index `repeat` times an epoch at most, the last incomplete batch left out.

    An epoch of several rounds is one of several shorter ones in a row: each round has an order of its own, and hands
    out a number of its own as the epoch that augmentation is seeded with. The ranks divide each batch between them, so
    that n processes see the batches that one would see.
    """

    def __init__(self, length: int, batch_size: int, seed: int, rank: int = 0, world: int = 1, repeat: int = 1) -> None:
        self.length, self.batch_size, self.seed, self.rank, self.world = length, batch_size, seed, rank, world
        self.repeat = repeat
        self.epoch = 0
        self.skip = 0  # batches of this epoch that were seen before the run was resumed

    @property
    def sampler(self) -> "Shuffled":
        """Where Lightning looks for `set_epoch`: not at the batch sampler itself, but at what it samples from."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        if epoch != self.epoch:
            self.epoch, self.skip = epoch, 0

    def __len__(self) -> int:
        return self.length * self.repeat // self.batch_size

    def __iter__(self) -> Iterator[list[Key]]:
        first = self.epoch * self.repeat
        orders = torch.cat([self._order(number) for number in range(first, first + self.repeat)])
        for start in range(self.skip, len(self)):
            places = range(start * self.batch_size, (start + 1) * self.batch_size)[self.rank :: self.world]
            yield [(first + place // self.length, int(orders[place])) for place in places]

    def _order(self, number: int) -> Tensor:
        return torch.randperm(self.length, generator=torch.Generator().manual_seed(seeded(self.seed, number)))


class InOrder:
    """Batches for evaluation: every index exactly once over all ranks, equal sizes within a batch, nothing padded.

    More ranks than batches leave some with an empty one, which `collate` makes None of.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], batch_size: int, rank: int = 0, world: int = 1) -> None:
        groups = defaultdict(list)
        for index, size in enumerate(sizes):
            groups[size].append(index)
        batches = [group[i : i + batch_size] for group in groups.values() for i in range(0, len(group), batch_size)]
        # A rank without a batch would leave the loop, and the others waiting for its counts: it gets an empty one.
        self._batches = sorted(batches)[rank::world] or [[]]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[Key]]:
        for batch in self._batches:
            yield [(0, index) for index in batch]


def seeded(*numbers: int) -> int:
    """One seed from several numbers, so that neighbours share nothing."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:  # splitmix64's finaliser over the running state
        state = (state ^ (number + 0x9E3779B97F4A7C15)) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
        state = (state ^ state >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
        state ^= state >> 31
    return state >> 1  # torch wants a signed one
