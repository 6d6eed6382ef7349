"""The fast argmax is the argmax, in either memory format."""

import pytest
import torch

from src.metric.labels import labels


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("classes", [1, 2, 21, 255])
def test_is_the_argmax(memory: torch.memory_format, kind: torch.dtype, classes: int) -> None:
    logits = torch.randn(2, classes, 7, 5).to(kind).to(memory_format=memory)
    found = labels(logits)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), logits.float().argmax(1))


def test_first_of_equals_and_no_gradient() -> None:
    logits = torch.zeros(1, 3, 2, 2, requires_grad=True)
    assert labels(logits).tolist() == [[[0, 0], [0, 0]]]
