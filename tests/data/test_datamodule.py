from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors

from src.data.cache import Cache
from src.data.datamodule import DataModule
from src.data.description import Description
from src.data.interface import MissingSplit
from src.data.sample import Batch, Instances, Sample
from src.data.sound import Sound

SIZES = [(4, 6), (6, 4), (4, 6), (4, 6), (6, 4)]


class Uneven:
    """Five images of two sizes; the class of every pixel is its index, with unknown in one corner."""

    def __init__(self, split: str = "train", count: int = 5) -> None:
        if split == "test":
            raise MissingSplit("there is no test.txt")
        self.count = count

    def describe(self) -> Description:
        classes = ("a", "b", "c", "d", "e", "f")
        return Description(("image", "mask"), classes, ((0, 0, 0),) * 6, channels=1)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        height, width = SIZES[index]
        mask = torch.full((height, width), index, dtype=torch.uint8)
        mask[0, 0] = 255
        image = torch.arange(height * width, dtype=torch.uint8).reshape(1, height, width)
        return Sample(tv_tensors.Image(image), tv_tensors.Mask(mask), name=self.name(index), size=(height, width))

    def name(self, index: int) -> str:
        return f"image{index}"

    def size(self, index: int) -> tuple[int, int]:
        return SIZES[index]

    def files(self, index: int) -> tuple[str, ...]:
        return ()


@pytest.fixture
def data(tmp_path):
    def build(**options):
        return DataModule(Uneven, cache_folder=str(tmp_path), **({"size": (4, 4), "batch_size": 2} | options))

    return build


@pytest.mark.parametrize("cache", ["auto", "memory", "disk", "none"])
def test_evaluation_has_each_sample_once_at_the_size_of_its_file(data, cache):
    batches = list(data(cache=cache).val_dataloader())
    assert sorted(name for batch in batches for name in batch.name) == [f"image{i}" for i in range(5)]
    for batch in batches:
        assert batch.image.shape[-2:] == (4, 4)
        assert batch.mask.shape[-2:] == batch.size[0]
        assert len(set(batch.size)) == 1


class Crowded(Uneven):
    """As many objects in an image as its index says."""

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        masks = torch.ones(index, *sample.size, dtype=torch.bool)
        boxes = torch.tensor([[0.0, 0.0, *sample.size[::-1]]]).expand(index, 4)
        return replace(sample, instances=Instances(boxes, torch.zeros(index, dtype=torch.int64), masks))


def test_what_is_decoded_once_is_estimated_with_its_objects(tmp_path, monkeypatch):
    # Of each image 24 bytes and of its mask 24; of each object 16 of its box, 8 of its label and 3 of its mask.
    true = 5 * 48 + 10 * 27
    for limit, kind in ((true, Cache), (true - 1, Sound)):
        monkeypatch.setattr("src.data.datamodule._SMALL", limit)
        fields = ["image", "mask", "instances"]
        assert isinstance(DataModule(Crowded, fields=fields, cache_folder=str(tmp_path)).split("train"), kind)


def test_training_has_one_size_and_the_files_own_type(data):
    batches = list(data().train_dataloader())
    assert len(batches) == 2
    for batch in batches:
        assert batch.image.shape == (2, 1, 4, 4)
        assert batch.image.dtype == torch.uint8
        assert batch.mask.shape == (2, 4, 4)


def test_a_repeated_sample_is_augmented_anew(tmp_path):
    data = DataModule(Pictures, cache_folder=str(tmp_path), size=(8, 8), batch_size=32, repeat=2)
    data.check("train")
    (batch,) = data.train_dataloader()
    assert sorted(batch.name) == sorted(f"image{index}" for index in [*range(16)] * 2)
    pairs = [[image for image, name in zip(batch.image, batch.name, strict=True) if name == f"image{index}"]
             for index in range(16)]  # fmt: skip
    assert all(not torch.equal(*pair) for pair in pairs)


def test_augmentation_depends_on_seed_epoch_and_sample_alone(data):
    def epoch(number, **options):
        loader = data(batch_size=1, **options).train_dataloader()
        loader.batch_sampler.set_epoch(number)
        return {batch.name[0]: batch.image for batch in loader}

    first, again = epoch(3), epoch(3)
    torch.manual_seed(99)  # what else happens in the process
    workers, later, other = epoch(3, workers=2), epoch(4), epoch(3, seed=1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(torch.equal(first[name], workers[name]) for name in first)
    assert any(not torch.equal(first[name], later[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_loading_leaves_the_process_its_random_state(data):
    loader = data().train_dataloader()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(loader)
    assert torch.equal(torch.rand(3), expected)


def test_frequencies_count_known_pixels_and_the_images_that_hold_them(data):
    pixels, containing = data().frequencies()
    assert pixels.tolist() == [23, 23, 23, 23, 23, 0]
    assert containing.tolist() == [24, 24, 24, 24, 24, 0]


def test_an_absent_split_is_a_sentence(data):
    with pytest.raises(MissingSplit, match=r"no test\.txt"):
        data().check("test")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 6}, "5 samples, fewer than data.batch_size=6"),
        ({"count": 0}, "'train' is empty"),
        ({"batch_size": 0}, "at least 1"),
        ({"size": (4, 0)}, "two positive numbers"),
        ({"skip": -1}, "data.skip=-1"),
        ({"repeat": 0}, "data.repeat=0"),
    ],
)
def test_what_could_never_train_is_refused(data, options, message):
    with pytest.raises(ValueError, match=message):
        data(**options).check("train")


class Worn(Uneven):
    """The same, whose first image is broken."""

    def __getitem__(self, index: int) -> Sample:
        if index == 0:
            raise ValueError("image0 is broken")
        return super().__getitem__(index)


@pytest.mark.parametrize("cache", ["auto", "memory", "disk", "none"])
def test_a_broken_sample_stops_or_is_left_out(tmp_path, capsys, cache):
    options = {"cache": cache, "cache_folder": str(tmp_path), "size": (4, 4), "batch_size": 2}
    with pytest.raises(ValueError, match=r"1 of 5 samples cannot be used:\n.*image0 is broken"):
        DataModule(Worn, **options).check("train")
    data = DataModule(Worn, skip=1, **options)
    data.check("train")
    assert data.skipped == ["sample 'image0': image0 is broken"]
    assert "data.skip=1: 1 of 5 samples are left out of the training" in capsys.readouterr().out
    names = sorted(name for batch in data.train_dataloader() for name in batch.name)
    assert names == ["image1", "image2", "image3", "image4"]
    with pytest.raises(ValueError, match="image0 is broken"):
        data.check("val")


def test_a_batch_of_two_sizes_names_both_files(data):
    with pytest.raises(ValueError, match=r"image\d.*one batch needs one size"):
        list(data(size=None, batch_size=5).train_dataloader())


class Pictures(Uneven):
    """Sixteen images of one size that augmentation changes."""

    def __init__(self, split: str = "train") -> None:
        super().__init__(split, 16)

    def __getitem__(self, index: int) -> Sample:
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, (1, 12, 12), dtype=torch.uint8, generator=generator)
        mask = torch.randint(0, 6, (12, 12), dtype=torch.uint8, generator=generator)
        return Sample(tv_tensors.Image(image), tv_tensors.Mask(mask), name=self.name(index), size=(12, 12))

    def size(self, index: int) -> tuple[int, int]:
        return (12, 12)


@pytest.fixture
def epochs(tmp_path):
    """Batches of epochs in a row of one loader, which keeps its workers; `skip` of the first were seen before."""

    def load(workers: int, numbers: tuple[int, ...], skip: int = 0) -> list[list[Batch]]:
        data = DataModule(Pictures, cache_folder=str(tmp_path), size=(8, 8), batch_size=2, workers=workers)
        data.load_state_dict({"epoch": numbers[0], "batches": skip})
        loader = data.train_dataloader()
        found = []
        for number in numbers:
            loader.batch_sampler.sampler.set_epoch(number)  # where Lightning looks for it
            found.append(list(loader))
        return found

    return load


def _equal(ours: list[Batch], theirs: list[Batch]) -> bool:
    pairs = list(zip(ours, theirs, strict=True))
    return all(torch.equal(a.image, b.image) and torch.equal(a.mask, b.mask) and a.name == b.name for a, b in pairs)


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_change_no_bit_of_any_epoch(epochs, workers):
    expected, found = epochs(0, (0, 1)), epochs(workers, (0, 1))
    assert all(_equal(*pair) for pair in zip(found, expected, strict=True))
    assert [batch.name for batch in found[0]] != [batch.name for batch in found[1]]


@pytest.mark.parametrize("workers", [0, 2, 4])
def test_an_epoch_goes_on_where_it_was_left_whatever_the_workers(epochs, workers):
    whole = epochs(0, (3, 4))
    resumed = epochs(workers, (3, 4), skip=5)
    assert _equal(resumed[0], whole[0][5:])
    assert _equal(resumed[1], whole[1])


def test_workers_see_each_epochs_own_augmentation(epochs):
    first, second = epochs(2, (0, 1))
    images = [{name: image for batch in epoch for name, image in zip(batch.name, batch.image, strict=True)}
              for epoch in (first, second)]  # fmt: skip
    assert any(not torch.equal(images[0][name], images[1][name]) for name in images[0])


@pytest.mark.parametrize("workers", [0, 2])
def test_what_goes_wrong_in_a_sample_names_it(tmp_path, workers):
    class Broken(Pictures):
        def __init__(self, split: str = "train") -> None:
            super().__init__(split)
            self.armed = False

        def __getitem__(self, index: int) -> Sample:
            if self.armed and index == 6:
                raise OSError("the disk went away")
            return super().__getitem__(index)

        def files(self, index: int) -> tuple[str, ...]:
            return (str(tmp_path / "files.txt"),)

    (tmp_path / "files.txt").touch()
    data = DataModule(Broken, cache="none", cache_folder=str(tmp_path), size=(8, 8), batch_size=2, workers=workers)
    data.split("train")._dataset.armed = True
    where = ", loading worker [01]" if workers else ""
    with pytest.raises(ValueError, match=rf"sample 'image6' \(.*files.txt\){where}: OSError: the disk went away"):
        list(data.train_dataloader())
