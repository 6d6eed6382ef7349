import pytest
import torch

from src.loss.target import matched


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(2, 4, 5\).*\(2, 3, 4, 4\)"):
        matched(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 5, dtype=torch.uint8))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
@pytest.mark.parametrize(("channels", "shape", "value"), [(3, (1, 2, 2), 3), (3, (1, 3, 2, 2), 2), (1, (1, 2, 2), 2)])
def test_values_that_are_no_class_are_named(channels, shape, value, dtype):
    target = torch.full(shape, 255, dtype=dtype)
    output = torch.zeros(1, channels, 2, 2)
    matched(output, target)
    target.view(-1)[0] = value - 1
    matched(output, target)
    target.view(-1)[-1] = value
    with pytest.raises(ValueError, match=f"holds {value}, but the classes here are 0 to {value - 1}"):
        matched(output, target)


def test_a_negative_value_is_named():
    with pytest.raises(ValueError, match="holds -1"):
        matched(torch.zeros(1, 3, 2, 2), torch.full((1, 2, 2), -1))
