"""What one training sample costs from its files to the network, beside PIL and torchvision."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import default_collate
from torchvision import tv_tensors
from torchvision.transforms import v2

from src.benchmark.clock import interleaved
from src.benchmark.pictures import written
from src.benchmark.row import Row
from src.data.camvid import CamVid
from src.data.color import distinct
from src.data.datamodule import DataModule
from src.data.description import UNKNOWN
from src.data.transform import Augment
from src.data.values import Values
from src.model.normalize import IMAGENET_MEAN, IMAGENET_STD, Normalize

PIL, TENSORS, CACHED = "PIL + v2 on PIL images", "PIL + v2 on tensors", "decoded cache + v2 on tensors"
PLAIN = {"brightness": 0.0, "contrast": 0.0, "class_aware": 0.0}  # scale, crop and mirror alone
NORMALISED = "ours, normalised"
BATCH = 8
Pair = tuple[Any, Tensor]
_NORMALIZE = Normalize(3)


def run(config: Mapping[str, Any]) -> list[Row]:
    """Rows of an epoch, of the first epoch, and of masks whose classes are colors."""
    options, rounds = config["input"], config["rounds"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(config["root"] or written(Path(folder) / "camvid", options["size"], options["samples"]))
        files = [(pair.image, pair.mask) for pair in CamVid(root, "train").pairs[: options["samples"]]]
        shared = (root, files, tuple(options["size"]), Path(folder))
        rows = [*_epoch(*shared, rounds, jitter=False), *_epoch(*shared, rounds, jitter=True)]
        rows.append(_first(*shared, rounds))
    return [*rows, *_colors(tuple(options["size"]), rounds)]


def _epoch(
    root: Path, files: list[tuple[Path, Path]], size: tuple[int, int], folder: Path, rounds: int, jitter: bool
) -> list[Row]:
    """A batch of ours as it leaves a worker, in bytes, against as many samples of each peer; per sample.

    Normalising is left to the device; a row shows what it costs where that is this CPU.
    """
    data = _data(root, size, folder / "cache", {} if jitter else PLAIN)
    decoded = [(_image(image), _mask(mask)) for image, mask in files]
    endless = _endless(data)
    peer = _transform(size, jitter)
    contestants = {
        "ours": partial(next, endless),
        NORMALISED: lambda: _NORMALIZE(next(endless).image.float().div_(255)),
        PIL: partial(_batch, cycle(files), lambda pair: peer((Image.open(pair[0]).convert("RGB"), _mask(pair[1])))),
        TENSORS: partial(_batch, cycle(files), lambda pair: peer((_image(pair[0]), _mask(pair[1])))),
        CACHED: partial(_batch, cycle(decoded), peer),
    }
    clocks = interleaved(contestants, rounds)
    what = f"{size[0]}×{size[1]}: scale, crop, mirror{', jitter' if jitter else ''}"
    rows = [_row(what, peer, clocks, 0.2 if peer == PIL else None) for peer in (PIL, TENSORS, CACHED)]
    return [*rows, _row(f"{what}, normalised on the CPU", PIL, clocks | {"ours": clocks[NORMALISED]}, None)]


def _first(root: Path, files: list[tuple[Path, Path]], size: tuple[int, int], folder: Path, rounds: int) -> Row:
    """The first epoch, which decodes every sample and keeps it; the time of the wall, for ours decodes in parallel."""
    peer, count = _transform(size, jitter=True), len(files)

    def ours() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            for _ in islice(_data(root, size, Path(cache), {}).train_dataloader(), count // BATCH):
                pass

    def theirs() -> None:
        for start in range(0, count - BATCH + 1, BATCH):
            pairs = iter(files[start : start + BATCH])
            _batch(pairs, lambda pair: peer((Image.open(pair[0]).convert("RGB"), _mask(pair[1]))))

    clocks = interleaved({"ours": ours, PIL: theirs}, rounds)
    return _row(f"the first epoch of {count} samples: decode, keep, augment", PIL, clocks, 1.0, per=count)


def _data(root: Path, size: tuple[int, int], folder: Path, changes: Mapping[str, float]) -> DataModule:
    transform = partial(Augment, **changes)
    return DataModule(CamVid, transform, size=size, batch_size=BATCH, workers=0, cache_folder=str(folder), root=root)


def _endless(data: DataModule) -> Iterator[Any]:
    while True:
        yield from data.train_dataloader()


def _batch(samples: Iterator[Any], transform: Callable[[Any], Pair]) -> Any:
    return default_collate([transform(sample) for sample in islice(samples, BATCH)])


def _transform(size: tuple[int, int], jitter: bool) -> Callable[[Pair], Pair]:
    """The same augmentation from torchvision's own parts."""
    fill = {tv_tensors.Mask: UNKNOWN, "others": 0}
    colors = [v2.ColorJitter(brightness=0.2, contrast=0.2)] if jitter else []
    return v2.Compose(
        [
            v2.ScaleJitter(size, scale_range=(0.8, 2.0)),
            v2.RandomCrop(size, pad_if_needed=True, fill=fill),
            v2.RandomHorizontalFlip(),
            *colors,
            v2.ToImage(),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            v2.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ]
    )


def _image(path: Path) -> tv_tensors.Image:
    return tv_tensors.Image(v2.functional.pil_to_tensor(Image.open(path).convert("RGB")))


def _mask(path: Path) -> tv_tensors.Mask:
    return tv_tensors.Mask(torch.from_numpy(np.array(Image.open(path))))


def _colors(size: tuple[int, int], rounds: int) -> list[Row]:
    """Masks that say their classes by color -> indices."""
    rows = []
    for count in (21, 150):
        palette = distinct(count)
        classes = np.random.default_rng(0).integers(count, size=size)
        picture = np.array(palette, np.uint8)[classes]
        values = Values({color: index for index, color in enumerate(palette)})

        def loop(picture: np.ndarray = picture, palette: Any = palette) -> np.ndarray:
            found = np.full(picture.shape[:2], UNKNOWN, np.uint8)
            for index, color in enumerate(palette):
                found[(picture == color).all(-1)] = index
            return found

        ours = partial(values, picture, Path("mask.png"))
        assert np.array_equal(loop(), ours().numpy())
        clocks = interleaved({"ours": ours, "loop over colors": loop}, rounds)
        rows.append(_row(f"mask of {count} colors to indices", "loop over colors", clocks, None, per=1))
    return rows


def _row(what: str, peer: str, clocks: Mapping[str, Any], goal: float | None, per: int = BATCH) -> Row:
    theirs, ours = clocks[peer], clocks["ours"]
    more = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    figures = [[value / per for value in clock.milliseconds()] for clock in (theirs, ours)]
    return Row("input", what, peer, *figures, unit="ms/sample" if per > 1 else "ms", goal=goal, more=more)
