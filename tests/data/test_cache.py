import multiprocessing
import time
from pathlib import Path

import pytest
import torch
from torchvision import tv_tensors

from src.data.cache import Cache
from src.data.description import Description
from src.data.field import Depth
from src.data.sample import Instances, Sample

FIELDS = ("image", "mask", "depth", "instances")


def objects(count: int, height: int, width: int) -> Instances:
    """Every field that a dataset can give."""
    return Instances(
        boxes=torch.cat([torch.rand(count, 2), 1 + torch.rand(count, 2)], 1),
        labels=torch.arange(count) % 3,
        masks=torch.rand(count, height, width) < 0.5,
        keypoints=torch.cat([torch.rand(count, 2, 2), torch.ones(count, 2, 1)], -1),
        crowd=torch.rand(count) < 0.5,
        areas=torch.rand(count),
    )


class Made:
    """Five samples of unequal sizes and types, counting how often each is decoded."""

    def __init__(self, folder: Path, bad: tuple[int, ...] = ()) -> None:
        self.folder, self.bad, self.decoded = folder, bad, 0
        for index in range(5):
            if not (folder / f"{index}.txt").exists():
                (folder / f"{index}.txt").write_text(str(index))

    def describe(self) -> Description:
        colors, joints = ((0, 0, 0),) * 3, {"keypoints": ("l", "r"), "sigmas": (0.1, 0.1)}
        return Description(FIELDS, ("a", "b", "c"), colors, channels=4, value_range=(0.0, 65535.0), **joints)

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> Sample:
        if index in self.bad:
            raise ValueError(f"{index}.txt is broken")
        self.decoded += 1
        height, width = 3 + index, 7
        torch.manual_seed(index)
        image = torch.randint(0, 65535, (4, height, width)).to(torch.uint16)
        return Sample(
            image=tv_tensors.Image(image),
            mask=tv_tensors.Mask(torch.randint(0, 3, (height, width), dtype=torch.uint8)),
            depth=Depth(torch.rand(1, height, width)),
            instances=objects(index, height, width),
            name=f"{index}",
            size=(height, width),
        )

    def name(self, index: int) -> str:
        return f"{index}"

    def size(self, index: int) -> tuple[int, int]:
        return (3 + index, 7)

    def files(self, index: int) -> tuple[str, ...]:
        return (str(self.folder / f"{index}.txt"),)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("on_disk", [True, False])
def test_samples_come_back_bit_for_bit(tmp_path, on_disk, workers):
    dataset = Made(tmp_path)
    cache = Cache(dataset, FIELDS, tmp_path / "cache" if on_disk else None, workers=workers)
    assert len(cache) == 5
    for index in range(5):
        kept, fresh = cache[index], dataset[index]
        for field in ("image", "mask", "depth"):
            assert type(getattr(kept, field)) is type(getattr(fresh, field))
            assert getattr(kept, field).dtype == getattr(fresh, field).dtype
            assert torch.equal(getattr(kept, field).float(), getattr(fresh, field).float())
        for name, part in vars(fresh.instances).items():
            assert name == "scores" or torch.equal(getattr(kept.instances, name), part), name
            assert name == "scores" or getattr(kept.instances, name).dtype == part.dtype, name
        assert (kept.name, kept.size) == (fresh.name, fresh.size)
        assert cache.size(index) == fresh.size


def test_an_image_without_objects_keeps_its_empty_tensors(tmp_path):
    Cache(Made(tmp_path), FIELDS, tmp_path / "cache")
    empty = Cache(Made(tmp_path), FIELDS, tmp_path / "cache")[0].instances
    assert (len(empty), empty.boxes.shape, empty.masks.shape) == (0, (0, 4), (0, 3, 7))
    assert (empty.masks.dtype, empty.keypoints.shape, empty.scores) == (torch.bool, (0, 2, 3), None)


def test_masks_take_a_bit_for_each_pixel(tmp_path):
    Cache(Made(tmp_path), ("instances",), tmp_path / "cache")
    (file,) = (tmp_path / "cache").glob("*.bin")
    pixels = sum(index * (3 + index) * 7 for index in range(5))
    others = sum(index * (4 * 4 + 8 + 6 * 4 + 4) for index in range(5))
    assert file.stat().st_size < pixels / 8 + others + 5 * 6 * 16 + 1  # each array begins at a multiple of 16


def test_a_second_process_decodes_nothing(tmp_path):
    Cache(Made(tmp_path), FIELDS, tmp_path / "cache")
    again = Made(tmp_path)
    Cache(again, FIELDS, tmp_path / "cache")
    assert again.decoded == 0


def test_processes_that_begin_together_decode_once(tmp_path):
    class Slow(Made):
        def __getitem__(self, index: int) -> Sample:
            with (tmp_path / "decoded").open("a") as file:
                file.write(f"{index}\n")
            time.sleep(0.05)
            return super().__getitem__(index)

    def read() -> None:
        assert len(Cache(Slow(tmp_path), FIELDS, tmp_path / "cache")) == 5

    processes = [multiprocessing.get_context("fork").Process(target=read) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len((tmp_path / "decoded").read_text().split()) == 5


@pytest.mark.parametrize("change", ["file", "identity", "fields"])
def test_whatever_changes_a_sample_changes_the_cache(tmp_path, change):
    Cache(Made(tmp_path), FIELDS, tmp_path / "cache", identity="a")
    again = Made(tmp_path)
    if change == "file":
        (tmp_path / "3.txt").write_text("another length")
    fields = ("image",) if change == "fields" else FIELDS
    Cache(again, fields, tmp_path / "cache", identity="b" if change == "identity" else "a")
    assert again.decoded == 5


def test_only_the_wanted_fields_are_kept(tmp_path):
    sample = Cache(Made(tmp_path), ("image",), None)[2]
    assert sample.mask is None
    assert sample.instances is None


def test_a_kept_sample_may_be_written_to_without_harm(tmp_path):
    cache = Cache(Made(tmp_path), FIELDS, tmp_path / "cache")
    before = cache[1].depth.clone()
    Cache(Made(tmp_path), FIELDS, tmp_path / "cache")[1].depth.zero_()
    assert torch.equal(Cache(Made(tmp_path), FIELDS, tmp_path / "cache")[1].depth, before)


def test_every_bad_sample_is_named_and_nothing_is_kept(tmp_path):
    with pytest.raises(ValueError, match=r"2 of 5 samples.*:\n  .*1.txt is broken\n  .*4.txt is broken\nmend them"):
        Cache(Made(tmp_path, bad=(1, 4)), FIELDS, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("on_disk", [True, False])
def test_so_many_bad_samples_as_may_be_are_left_out(tmp_path, on_disk):
    folder = tmp_path / "cache" if on_disk else None
    for _ in range(2):  # made, and found again
        cache = Cache(Made(tmp_path, bad=(1, 4)), FIELDS, folder, skip=2)
        assert [cache[index].name for index in range(len(cache))] == ["0", "2", "3"]
        assert [cache.size(index) for index in range(3)] == [(3, 7), (5, 7), (6, 7)]
        assert [Path(cache.files(index)[0]).name for index in range(3)] == ["0.txt", "2.txt", "3.txt"]
        assert [fault.name for fault in cache.faults] == ["1", "4"]
    for skip, said in ((1, r"and data\.skip=1 bears 1.*data\.skip=2$"), (None, "every fault\\)$")):
        with pytest.raises(ValueError, match=rf"(?s)2 of 5.*{said}"):
            Cache(Made(tmp_path, bad=(1, 4)), FIELDS, folder, skip=skip)
