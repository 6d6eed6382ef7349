from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from src.data.sample import Instances, Sample, collate


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
