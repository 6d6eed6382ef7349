from functools import partial

import pytest
import torch
from torch import nn

from src.data.description import Description
from src.data.field import VALUES
from src.data.sample import Batch
from src.loss.l1 import L1
from src.task.regression import Regression


class Net(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.score = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, image):
        return self.score(image)


def made(field="albedo"):
    description = Description(("image", field))
    return Regression(description, Net, L1(), partial(torch.optim.SGD, lr=0.1), field=field).eval()


def batch(values, field="albedo"):
    return Batch(torch.rand(1, 3, 2, 2), values={field: values}, name=["x"], size=[tuple(values.shape[-2:])])


@pytest.fixture
def single(monkeypatch):
    monkeypatch.setitem(VALUES, "heat", 1)
    return made("heat")


def test_as_many_maps_as_the_field_has_channels(single):
    assert made()(batch(torch.zeros(1, 3, 5, 7))).shape == (1, 3, 5, 7)
    assert single(batch(torch.zeros(1, 1, 5, 7), "heat")).shape == (1, 1, 5, 7)
    assert (made().fields, single.fields) == (("image", "albedo"), ("image", "heat"))


def test_the_unknown_neither_costs_nor_counts():
    target = torch.tensor([[1.0, torch.nan], [3.0, 4.0]]).expand(1, 3, 2, 2)
    task, example = made(), batch(target)
    assert float(task.losses(torch.zeros(1, 3, 2, 2), example)["loss"]) == pytest.approx(8 / 3)
    assert task.weight(example) == 9


def test_what_is_no_field_is_refused_by_name():
    with pytest.raises(ValueError, match=r"task\.field=albdo is no float field: there are .*albedo"):
        Regression(Description(("image",)), Net, L1(), partial(torch.optim.SGD, lr=0.1), field="albdo")


def test_panels_of_three_channels_are_light_in_the_range_of_the_target():
    target = torch.tensor([[0.0, 2.0], [torch.nan, 1.0]]).expand(1, 3, 2, 2)
    panels = made().panels(batch(target), torch.tensor([[0.0, 4.0], [1.0, 0.0]]).expand(1, 3, 2, 2))
    assert panels["target"][0, 0].tolist() == [[0, 255], [160, round(255 * 0.5 ** (1 / 2.2))]]
    assert panels["prediction"][0, 0].tolist() == [[0, 255], [round(255 * 0.5 ** (1 / 2.2)), 0]]
    assert panels["error"][0].permute(1, 2, 0).tolist() == [[[68, 1, 84], [253, 231, 37]], [[160] * 3, [33, 145, 140]]]


def test_panels_of_one_channel_have_a_scale_of_colours(single):
    target = torch.tensor([[-1.0, 1.0], [torch.nan, 0.0]])[None, None]
    panels = single.panels(batch(target, "heat"), torch.zeros(1, 1, 2, 2))
    colors = panels["target"][0].permute(1, 2, 0).tolist()
    assert colors == [[[68, 1, 84], [253, 231, 37]], [[160] * 3, [33, 145, 140]]]
