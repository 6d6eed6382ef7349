"""One DataModule for every dataset: splits, caching, seeding, batching."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import lightning as L
import torch
from lightning.fabric.utilities.rank_zero import rank_zero_only
from torch import Tensor
from torch.utils.data import DataLoader

from src.data.cache import Cache, volume
from src.data.cores import readers
from src.data.count import class_pixels
from src.data.description import Description
from src.data.fault import listed
from src.data.interface import Dataset, MissingSplit
from src.data.loader import Loader
from src.data.prepared import Prepared
from src.data.sample import Batch, Sample, collate
from src.data.sampler import InOrder, Shuffled
from src.data.sound import Sound
from src.data.splits import Splits
from src.data.transform import Augment, Fit

_DEFAULT_FOLDER = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "dense-labeling"
_SMALL = 8 * 2**30  # bytes: what is decoded once without being asked
_PROBED = 5  # samples, at most, that these bytes are estimated by


class DataModule(L.LightningDataModule):
    """Splits of one dataset as batches: augmented, shuffled and seeded for training, whole and in order otherwise."""

    passes_on = "dataset"  # options that are not named below are the dataset's own

    def __init__(
        self,
        dataset: Callable[..., Dataset],
        transform: Callable[..., Callable[[Sample], Sample]] = Augment,
        fields: Sequence[str] | None = None,
        size: Sequence[int] | None = None,
        batch_size: int = 8,
        eval_batch_size: int | None = None,
        workers: int | Literal["auto"] = "auto",
        timeout: float | int = 300,
        cache: Literal["auto", "memory", "disk", "none"] = "auto",
        cache_folder: str | None = None,
        label_map: Mapping[str, str | None] | None = None,
        other: Literal["class", "unknown"] | None = None,
        weak: Callable[..., Dataset] | None = None,
        skip: int = 0,
        repeat: int = 1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        """Read the dataset's description; no sample yet.

        Args:
            dataset: builds a split, as `dataset(split="train", **options)`.
            transform: builds the augmentation of training, as `transform(size=size, description=description)`.
            fields: of a Sample, those the task needs; None keeps all.
            size: height and width that the network sees; None leaves images as they are.
            batch_size: samples per step in total, divided over the devices.
            eval_batch_size: the same in evaluation; None is `batch_size`.
            workers: processes that load per device; "auto" is 0 on a CPU, where they would compete with the training.
            timeout: seconds that one batch of the workers is waited for, at any time of the run; 0 waits for ever.
            cache: decoded samples stay in `memory`, on `disk`, or are decoded anew (`none`); "auto" is disk for
                what takes less than 8 GiB.
            cache_folder: where the disk cache lies; None is the user's cache folder.
            label_map: {class: new name, or null for unknown}; equal names merge. Null: the dataset's own classes.
            other: what becomes of classes that `label_map` does not list: they stay (null), become one `class`
                "other", or `unknown`.
            weak: builds the training's weaker labels (clicks, scribbles), as `weak(dataset)`.
            skip: so many samples of the split train may be unusable and are left out, the same ones in every process;
                what is scored is never chosen by what can be read.
            repeat: how often an epoch draws each training sample, augmented anew each time.
            seed: of shuffling and augmentation.
        """
        super().__init__()
        if batch_size < 1 or (eval_batch_size or 1) < 1:
            raise ValueError(f"data.batch_size={batch_size}, data.eval_batch_size={eval_batch_size}: at least 1")
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ValueError(f"data.size={list(size)}: two positive numbers, height and width, or null")
        if not timeout >= 0:
            raise ValueError(f"data.timeout={timeout}: how many seconds a batch is waited for, or 0 for ever")
        if skip < 0:
            raise ValueError(f"data.skip={skip}: how many unusable samples are left out of the training, at least 0")
        if repeat < 1:
            raise ValueError(f"data.repeat={repeat}: how often an epoch draws each training sample, at least 1")
        self._built, self._workers, self._skip = Splits(dataset, options, label_map, other, weak), workers, skip
        self._timeout = timeout
        self.size = None if size is None else (int(size[0]), int(size[1]))
        self.batch_size, self.eval_batch_size, self.seed = batch_size, eval_batch_size or batch_size, seed
        self._repeat = repeat
        self._cache, self._folder = cache, Path(cache_folder or _DEFAULT_FOLDER).expanduser()
        self._splits: dict[str, Cache | Sound] = {}
        self.skipped: list[str] = []  # samples that are left out of the training, each with the reason
        self.evaluated = "test"  # which split `Trainer.test` sees
        self._resumed = (0, 0)  # epoch, and batches of it that are done
        self.description: Description = self._any().describe()
        self.fields = tuple(fields or self.description.fields)
        self._transform = transform(size=self.size, description=self.description)
        self._train: Shuffled | None = None

    def _any(self) -> Dataset:
        """The first split that is there, to ask what the dataset is."""
        for split in ("train", "val", "test"):
            try:
                return self._built(split=split)
            except MissingSplit as error:
                missing = error
        raise missing

    def split(self, name: str) -> Cache | Sound:
        """The samples of a split, each of which was read and found good; decoded once where that is asked for.

        Raises:
            MissingSplit: this copy of the dataset lacks it.
            ValueError: the split is empty, or more samples than `skip` in it cannot be used.
        """
        if name not in self._splits:
            dataset = self._built(split=name)
            if len(dataset) == 0:
                raise ValueError(f"the split {name!r} is empty: check data.root and the list of its files")
            samples = self._read(dataset, name)
            if samples.faults:
                self.skipped = [fault.reason for fault in samples.faults]
                said = f"data.skip={self._skip}: {len(self.skipped)} of {len(dataset)} samples are left out of the"
                rank_zero_only(print)(f"{said} training:{listed(samples.faults)}")
            self._splits[name] = samples
        return self._splits[name]

    def _read(self, dataset: Dataset, split: str) -> Cache | Sound:
        skip = self._skip if split == "train" else None
        how = {"identity": self._built.identity(split), "workers": readers(), "skip": skip}
        if self._cache == "none" or (self._cache == "auto" and self._estimate(dataset) > _SMALL):
            return Sound(dataset, self.fields, self._folder, **how)
        return Cache(dataset, self.fields, None if self._cache == "memory" else self._folder, **how)

    def _estimate(self, dataset: Dataset) -> int:
        """Bytes that the decoded split takes, by a few samples from all over it, because some have many objects."""
        volumes = []
        for index in range(0, len(dataset), -(-len(dataset) // _PROBED)):
            with suppress(ValueError):  # it will be named with all others
                volumes.append(volume(dataset[index], self.fields))
        return len(dataset) * sum(volumes) // max(1, len(volumes))

    def check(self, *splits: str) -> None:
        """Read the splits that are about to be used, so that what is wrong with them is said before any training."""
        for name in splits:
            samples = self.split(name)
            count = len(samples) * self._repeat
            if name == "train" and count < self.batch_size:
                raise ValueError(
                    f"the split 'train' has {count} samples, fewer than data.batch_size={self.batch_size}: "
                    f"no batch could be made. Say data.batch_size={count} or less, or more data.repeat"
                )
            if name == "train" and self._built.weak:
                total = sum(height * width for height, width in map(samples.size, range(len(samples))))
                share = float(self.frequencies()[0].sum()) / total
                rank_zero_only(print)(f"data.weak: {share:.3%} of the training's pixels are labelled")

    def frequencies(self) -> tuple[Tensor, Tensor]:
        """Pixels of each class over the training set [k], and pixels of the images that contain the class [k]."""
        return self._frequencies

    @cached_property
    def _frequencies(self) -> tuple[Tensor, Tensor]:
        k = self.description.num_classes
        pixels, containing = torch.zeros(k, dtype=torch.int64), torch.zeros(k, dtype=torch.int64)
        samples = self.split("train")
        for index in range(len(samples)):
            mask = samples[index].mask
            assert mask is not None
            counts = class_pixels(mask.as_subclass(Tensor), self.description)
            pixels += counts
            containing += (counts > 0) * (mask.shape[-2] * mask.shape[-1])
        return pixels, containing

    def train_dataloader(self) -> DataLoader[Batch]:
        """Augmented batches in a random order that depends on seed and epoch alone."""
        rank, world = self._rank()
        if self.batch_size % world:
            raise ValueError(f"data.batch_size={self.batch_size} does not divide over {world} devices: it is the total")
        samples = self.split("train")
        self._train = Shuffled(len(samples), self.batch_size, self.seed, rank, world, self._repeat)
        self._train.epoch, self._train.skip = self._resumed
        return self._loader(Prepared(samples, self._transform, self.fields, self.seed), self._train)

    def val_dataloader(self) -> DataLoader[Batch]:
        """The split val, whole, at the size of its files."""
        return self.evaluation("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        """The split `evaluated`, whole, at the size of its files."""
        return self.evaluation(self.evaluated)

    def evaluation(self, split: str) -> DataLoader[Batch]:
        """Any split as evaluation sees it: every sample once, not augmented, targets at the size of the file."""
        samples = self.split(split)
        rank, world = self._rank()
        sizes = [samples.size(index) for index in range(len(samples))]
        batches = InOrder(sizes, max(1, self.eval_batch_size // world), rank, world)
        return self._loader(Prepared(samples, Fit(self.size), self.fields, self.seed), batches)

    def _loader(self, samples: Prepared, batches: Shuffled | InOrder) -> DataLoader[Batch]:
        workers = self._workers
        cuda = torch.cuda.is_available()
        if workers == "auto":
            workers = readers(shares=max(1, torch.cuda.device_count())) if cuda else 0
        return Loader(
            samples,
            samples.named,
            collate,
            num_workers=workers,
            timeout=self._timeout,
            batch_sampler=batches,
            persistent_workers=workers > 0,
            pin_memory=cuda,
            generator=torch.Generator(),  # without one it draws from the process's own
        )

    def _rank(self) -> tuple[int, int]:
        trainer = self.trainer
        return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)

    def state_dict(self) -> dict[str, int]:
        """How far the epoch is, for a checkpoint in its middle."""
        assert self.trainer is not None
        loop = self.trainer.fit_loop
        epoch = loop.epoch_progress.current
        midway = epoch.processed < epoch.started
        return {"epoch": epoch.processed, "batches": loop.epoch_loop.batch_progress.current.processed if midway else 0}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state` stopped: the next epoch's shuffle, without the batches that were seen."""
        self._resumed = (state["epoch"], state["batches"])
