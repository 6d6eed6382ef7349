import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from src.data.sample import Sample, collate


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
