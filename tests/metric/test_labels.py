"""The fast argmax is the argmax, in any memory format."""

import pytest
import torch
from torch import Tensor

from src.metric.labels import labels

LAYOUTS = {
    "planes": torch.Tensor.contiguous,
    "channels last": lambda logits: logits.contiguous(memory_format=torch.channels_last),
    "cropped": lambda logits: torch.nn.functional.pad(logits, (1, 2, 3, 1))[..., 3:-1, 1:-2],
    "every other pixel": lambda logits: logits.repeat_interleave(2, 3)[..., ::2],
}


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest):
    return LAYOUTS[request.param]


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("classes", [1, 2, 21, 65, 255])
def test_is_the_argmax(layout, kind: torch.dtype, classes: int) -> None:
    logits = layout(torch.randn(2, classes, 7, 5).to(kind))
    found = labels(logits)
    assert found.dtype == torch.uint8
    assert torch.equal(found.long(), logits.float().argmax(1))


@pytest.mark.parametrize("classes", [3, 80])
def test_first_of_equals(layout, classes: int) -> None:
    logits = layout(torch.randint(0, 2, (2, classes, 7, 5)).float())
    assert torch.equal(labels(logits).long(), logits.argmax(1))
    zeros = layout(torch.zeros(1, classes, 2, 2).copysign(torch.tensor([1.0, -1.0])))  # -0 is 0
    assert labels(zeros.requires_grad_()).tolist() == [[[0, 0], [0, 0]]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [3, 80])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_nan_is_no_answer_and_infinity_is_one(layout, classes: int, kind: torch.dtype) -> None:
    logits = torch.zeros(1, classes, 2, 2)
    logits[0, 2, 0, 0] = torch.nan
    logits[0, 2, 0, 1] = torch.inf
    logits[0, :, 1, 0] = -torch.inf
    logits[0, 1, 1, 1] = -torch.inf
    assert labels(layout(logits.to(kind))).tolist() == [[[255, 2], [0, 0]]]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("classes", [5, 80])
def test_pieces_come_back_in_place(layout, threads: int, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.metric.labels.SCORES", classes * 6 * 2)  # two rows at a time, then one
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    logits = layout(torch.randn(3, classes, 5, 6))
    assert torch.equal(labels(logits).long(), logits.argmax(1))


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (2, 3, 0, 4)])
def test_nothing_has_no_labels(shape: tuple[int, ...]) -> None:
    assert labels(torch.zeros(shape)).shape == Tensor(torch.zeros(shape)).argmax(1).shape
