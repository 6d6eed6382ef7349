from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from src.data import field
from src.data.cache import Cache
from src.data.datamodule import DataModule
from src.data.description import Description
from src.data.field import Quantity
from src.data.flaw import flaw
from src.data.sample import Instances, Sample, collate, part, without
from src.run.diagnosis.measure import measured


def sample(width: int = 6, name: str = "a") -> Sample:
    image = tv_tensors.Image(torch.arange(3 * 4 * width, dtype=torch.uint8).reshape(3, 4, width))
    mask = tv_tensors.Mask(torch.arange(4 * width, dtype=torch.uint8).reshape(4, width))
    return Sample(image=image, mask=mask, name=name, size=(4, width))


def test_torchvision_transforms_a_whole_sample():
    mirrored = v2.RandomHorizontalFlip(1.0)(sample())
    assert isinstance(mirrored, Sample)
    assert torch.equal(mirrored.image, sample().image.flip(-1))
    assert torch.equal(mirrored.mask, sample().mask.flip(-1))
    assert mirrored.name == "a"


def test_collate_stacks_and_keeps_names_in_order():
    batch = collate([sample(name="a"), sample(name="b")])
    assert batch.image.shape == (2, 3, 4, 6)
    assert batch.image.dtype == torch.uint8
    assert batch.mask.shape == (2, 4, 6)
    assert batch.depth is None
    assert batch.name == ["a", "b"]
    assert len(batch) == 2


def test_collate_names_both_files_when_sizes_differ():
    with pytest.raises(ValueError, match=r"'wide'.*\(3, 4, 8\).*'a'.*\(3, 4, 6\)"):
        collate([sample(), sample(width=8, name="wide")])


def test_nothing_is_no_batch():
    assert collate([]) is None


def test_a_batch_moves_with_its_tensors():
    moved = collate([sample()]).to(torch.int32)
    assert moved.image.dtype == torch.int32
    assert moved.name == ["a"]


def annotated(height: int, width: int, count: int) -> Sample:
    image = tv_tensors.Image(torch.randint(1, 255, (3, height, width), dtype=torch.uint8))
    objects = Instances(
        torch.rand(count, 4), torch.zeros(count, dtype=torch.int64), torch.ones(count, height, width, dtype=torch.bool)
    )
    return Sample(image=image, instances=objects, name=f"{height}x{width}", size=(height, width))


def test_images_with_objects_are_padded_and_their_extents_said():
    samples = [annotated(4, 7, 2), annotated(6, 5, 0), annotated(3, 3, 1)]
    batch = collate(samples)
    assert batch.image.shape == (3, 3, 6, 7)
    assert batch.extent == [(4, 7), (6, 5), (3, 3)]
    for image, (height, width), before in zip(batch.image, batch.extent, samples, strict=True):
        assert torch.equal(image[:, :height, :width], before.image)
        assert (image[:, height:] == 0).all()
        assert (image[:, :, width:] == 0).all()
    assert [tuple(objects.masks.shape) for objects in batch.instances] == [(2, 4, 7), (0, 6, 5), (1, 3, 3)]


def test_images_of_equal_size_are_not_padded_and_a_dense_batch_says_its_extent():
    assert collate([annotated(4, 7, 0), annotated(4, 7, 3)]).image.shape == (2, 3, 4, 7)
    assert collate([sample(), sample()]).extent == [(4, 6), (4, 6)]


def test_16_bits_are_padded_too():
    both = [annotated(4, 7, 0), annotated(2, 9, 0)]
    both = [replace(each, image=tv_tensors.Image(each.image.to(torch.uint16) * 200)) for each in both]
    batch = collate(both)
    assert torch.equal(batch.image[1, :, :2, :9], both[1].image.as_subclass(torch.Tensor))


def test_a_batch_of_objects_moves_with_its_tensors():
    moved = collate([annotated(4, 7, 2)]).to("meta")
    assert moved.instances[0].boxes.is_meta
    assert moved.instances[0].masks.is_meta
    assert moved.extent == [(4, 7)]


class Rough:
    """Four images with a field that is declared nowhere but in `VALUES`; a corner of it is unknown."""

    def __init__(self, split: str = "train") -> None:
        self.split = split

    def describe(self) -> Description:
        return Description(("image", "mask", "roughness"), ("a",), ((0, 0, 0),))

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Sample:
        roughness = torch.rand(2, 8, 12, generator=torch.Generator().manual_seed(index))
        roughness[:, 0, 0] = torch.nan
        image = tv_tensors.Image((roughness[[0, 1, 0]].nan_to_num() * 255).byte())
        mask = tv_tensors.Mask(torch.zeros(8, 12, dtype=torch.uint8))
        return Sample(image, mask, values={"roughness": Quantity(roughness)}, name=self.name(index), size=(8, 12))

    def name(self, index: int) -> str:
        return str(index)

    def size(self, index: int) -> tuple[int, int]:
        return (8, 12)

    def files(self, index: int) -> tuple[str, ...]:
        return ()


@pytest.fixture
def roughness(monkeypatch) -> None:
    """One entry is all that a new field costs."""
    monkeypatch.setitem(field.VALUES, "roughness", 2)


@pytest.mark.usefixtures("roughness")
@pytest.mark.parametrize("cache", ["memory", "disk", "none"])
def test_a_new_field_goes_all_the_way_through_one_entry(tmp_path, cache):
    data = DataModule(Rough, cache=cache, cache_folder=str(tmp_path), size=(16, 24), batch_size=2)
    batch = next(iter(data.val_dataloader()))
    assert torch.equal(part(batch, "roughness").nan_to_num(7.0), _stack(batch.name).nan_to_num(7.0))
    batch = next(iter(data.train_dataloader()))
    seen = batch.values["roughness"]
    assert (batch.image.shape, seen.shape) == ((2, 3, 16, 24), (2, 2, 16, 24))
    known = ~seen.isnan()
    assert known.float().mean() > 0.5
    assert torch.isin(seen[known], _stack(batch.name)).all()  # moved, never blended


@pytest.mark.usefixtures("roughness")
@pytest.mark.parametrize("cache", ["memory", "none"])
def test_a_new_field_stays_where_the_task_does_not_ask_for_it(tmp_path, cache):
    data = DataModule(Rough, fields=("image", "mask"), cache=cache, cache_folder=str(tmp_path), batch_size=2)
    assert next(iter(data.val_dataloader())).values is None


def _stack(names: list[str]) -> torch.Tensor:
    return torch.stack([Rough()[int(name)].values["roughness"].as_subclass(torch.Tensor) for name in names])


@pytest.mark.usefixtures("roughness")
def test_a_new_field_moves_is_kept_is_counted_and_can_be_left_out():
    sample, description = Rough()[0], Rough().describe()
    mirrored = v2.RandomHorizontalFlip(1.0)(sample).values["roughness"]
    assert torch.equal(mirrored.nan_to_num(7.0), sample.values["roughness"].flip(-1).nan_to_num(7.0))
    assert type(Cache(Rough(), ("image", "roughness"), None)[0].values["roughness"]) is Quantity
    assert Cache(Rough(), ("image", "mask"), None)[0].values is None
    assert measured(sample, description).unknown == {"mask": 0.0, "roughness": pytest.approx(1 / 96)}
    assert without(sample, "roughness", "depth").values is None
    assert without(sample, "mask").values == sample.values
    assert collate([sample]).to("meta").values["roughness"].is_meta


@pytest.mark.usefixtures("roughness")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.zeros(3, 8, 12), "roughness has 3 channels"),
        (torch.full((2, 8, 12), torch.inf), r"roughness holds inf at (x=0, y=0), one of 192 wrong values"),
    ],
)
def test_what_is_wrong_with_a_new_field_is_said(wrong, said):
    sample = replace(Rough()[0], values={"roughness": Quantity(wrong)})
    assert flaw(Rough()[0], Rough().describe()) is None
    assert said in (flaw(sample, Rough().describe()) or "")
