"""Every value falls into its own bin, whatever integer type it has and wherever it is counted."""

import pytest
import torch

from src.metric import count as module
from src.metric.count import count, matrix, refuse_strangers

TYPES = (torch.uint8, torch.int16, torch.int32, torch.int64)


@pytest.mark.parametrize("output_type", TYPES)
@pytest.mark.parametrize("target_type", TYPES)
def test_pairs_of_any_integer_types(output_type: torch.dtype, target_type: torch.dtype) -> None:
    output = torch.tensor([[0, 1, 2, 2, 255, 2, 0, 200]], dtype=output_type)
    target = torch.tensor([[0, 1, 1, 255, 0, 2, 254, 3]], dtype=target_type)
    counts = count(output, target, num_classes=3)
    assert counts.dtype == torch.int64
    assert matrix(counts)[0].tolist() == [[1, 0, 0, 1], [0, 1, 1, 0], [0, 0, 1, 0]]
    assert counts[0, 0].tolist() == [0, 0, 0, 1, 0]  # unknown, answered by class 2
    assert counts[0, 4].tolist() == [0, 1, 0, 0, 1]  # strangers in the target, one of them in both
    assert counts.sum() == 8


@pytest.mark.parametrize("stranger", [-1, -100, 3, 254, 256, 511, 65_537, 65_791])
def test_strangers_are_told_from_unknown(stranger: int) -> None:
    values = torch.tensor([[stranger, 255, 1]])
    with pytest.raises(ValueError, match=r"^1 pixels of the target are neither a class \(0 to 2\) nor 255"):
        refuse_strangers(count(torch.ones_like(values), values, num_classes=3))
    with pytest.raises(ValueError, match=r"^1 pixels of the output"):
        refuse_strangers(count(values, torch.ones_like(values), num_classes=3))


def test_255_classes_fill_a_byte() -> None:
    values = torch.arange(256, dtype=torch.uint8)[None]
    counts = count(values, values, num_classes=255)
    refuse_strangers(counts)
    assert torch.equal(matrix(counts)[0, :, :255], torch.eye(255, dtype=torch.int64))


def test_groups_are_counted_apart() -> None:
    draw = torch.Generator().manual_seed(0)
    output, target = torch.randint(0, 4, (2, 3, 50), generator=draw)
    together = count(output, target, num_classes=4)
    for group in range(3):
        assert torch.equal(together[group], count(output[group, None], target[group, None], num_classes=4)[0])


def test_no_pixels() -> None:
    assert count(torch.zeros(1, 0, dtype=torch.uint8), torch.zeros(1, 0, dtype=torch.uint8), 2).sum() == 0


def test_way_of_accelerators_counts_the_same() -> None:
    values = torch.randint(0, 7, (100,), dtype=torch.int32)
    assert torch.equal(module._added(values, 9), module.histogram(values, 9))
