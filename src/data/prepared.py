"""Samples as the network sees them."""

from collections.abc import Callable, Sequence

import torch

from src.data.cache import Cache
from src.data.field import VALUES
from src.data.sample import FIELDS, Sample, without
from src.data.sampler import Key, seeded
from src.data.sound import Sound


class Prepared:
    """Each augmentation is seeded by what it augments: the epoch, and the sample's index.

    Args:
        samples: of a split, as they were read.
        transform: Sample -> Sample. One that says `partners = n` is given n others beside it, drawn anew each time.
        fields: that the task needs; the others are left out.
        seed: of the run.
    """

    def __init__(
        self,
        samples: Cache | Sound,
        transform: Callable[..., Sample],
        fields: Sequence[str],
        seed: int,
    ) -> None:
        self._samples, self._transform, self._seed = samples, transform, seed
        self._unwanted = {*FIELDS, *VALUES, "instances", "camera"} - set(fields)

    def named(self, index: int) -> str:
        """A sample's name and files, in words."""
        files = ", ".join(self._samples.files(index))
        return f"sample {self._samples.name(index)!r}{f' ({files})' if files else ''}"

    def __getitem__(self, key: Key) -> Sample:
        epoch, index = key
        before = torch.get_rng_state()
        try:
            torch.default_generator.manual_seed(seeded(self._seed, epoch, index))  # manual_seed() asks every device
            others = torch.randint(len(self._samples), (getattr(self._transform, "partners", 0),)).tolist()
            return self._transform(*(without(self._samples[place], *self._unwanted) for place in (index, *others)))
        finally:
            torch.set_rng_state(before)
