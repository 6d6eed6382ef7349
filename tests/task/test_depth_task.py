import math
from functools import partial

import pytest
import torch
from torch import nn

from src.data.description import Description
from src.data.sample import Batch
from src.loss.eigen_fergus import EigenFergus
from src.loss.l1 import L1
from src.loss.silog import Silog
from src.loss.weighted_sum import WeightedSum
from src.run.combination import score
from src.task.depth import Depth

SCENES = Description(("image", "depth"))


class Net(nn.Module):
    """The same number everywhere."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        assert (in_channels, out_channels) == (3, 1)
        self.value = nn.Parameter(torch.tensor(math.log(2.0)))

    def forward(self, image):
        return self.value.expand(len(image), 1, *image.shape[2:])


def task(loss=None, **options):
    return Depth(SCENES, Net, loss or L1(), partial(torch.optim.SGD, lr=0.1), **options).eval()


def batch(*metres, size=(1, 4)):
    depth = torch.tensor(metres).view(1, 1, *size)
    return Batch(torch.rand(1, 3, *size), depth=depth, name=["x"], size=[size])


def test_evaluation_answers_at_the_size_of_the_file():
    example = Batch(torch.rand(1, 3, 4, 4), depth=torch.ones(1, 1, 7, 9), name=["x"], size=[(7, 9)])
    assert task()(example).shape == (1, 1, 7, 9)
    assert task().train()(example).shape == (1, 1, 4, 4)


def test_the_answer_is_in_metres_whatever_the_network_says():
    output = torch.tensor([0.0, math.log(3.0), 5.0]).view(1, 1, 1, 3)
    assert task().answer(output).flatten().tolist() == pytest.approx([1, 3, math.exp(5)])
    assert task(measure="metres").answer(output.half()).flatten().tolist() == pytest.approx(
        [0, math.log(3), 5], rel=1e-3
    )


def test_the_loss_compares_in_the_measure_and_knows_what_is_unknown():
    example = batch(1.0, math.e, 0.0, math.e**2)
    output = torch.zeros(1, 1, 1, 4)
    assert task().losses(output, example)["loss"].item() == pytest.approx((0 + 1 + 2) / 3)
    in_metres = task(measure="metres").losses(output, example)["loss"]
    assert in_metres.item() == pytest.approx((1 + math.e + math.e**2) / 3)
    assert task().losses(output, batch(0.0, 0.0, 0.0, 0.0))["loss"] == 0


def test_a_sum_is_told_by_its_terms():
    loss = WeightedSum({"silog": Silog(), "l1": L1()}, {"silog": 1.0, "l1": 0.5})
    example, output = batch(1.0, 2.0, 0.0, 4.0), torch.zeros(1, 1, 1, 4)
    terms = task(loss).losses(output, example)
    torch.testing.assert_close(terms["l1"], 0.5 * task().losses(output, example)["loss"])
    torch.testing.assert_close(terms["silog"], task(Silog()).losses(output, example)["loss"])


def test_batches_weigh_what_the_loss_divides_by():
    example = batch(1.0, 2.0, 0.0, 4.0)
    assert task().weight(example) == 3
    assert task(EigenFergus()).weight(example) == 1
    assert task(EigenFergus()).weight(batch(0.0, 0.0, 0.0, 0.0)) == 0


def test_scores_go_by_the_options():
    example = batch(2.0, 2.0, 20.0, 0.0)
    made = task(cap=(1.0, 30.0), align="median", averaging="pixel")
    made.suites["val"].update(made.answer(made(example)), made.target(example))
    scores = made.named_scores(made.suites["val"].compute())
    assert scores["score"] == scores["delta1"] == pytest.approx(2 / 3)
    assert scores["pixels"] == 3
    assert set(scores) | {"loss"} == set(score._SCORES["src.task.depth.Depth"])
    assert next(iter(made.suites["val"].compute())) == "delta1"


def test_panels_share_a_scale_and_unknown_is_grey():
    example = batch(1.0, 100.0, 10.0, 0.0)
    panels = task().panels(example, torch.tensor([1.0, 100.0, 5.0, 7.0]).view(1, 1, 1, 4))
    colors = {name: [tuple(color) for color in panel[0, :, 0].T.tolist()] for name, panel in panels.items()}
    dark, middle, bright, grey = (68, 1, 84), (33, 145, 140), (253, 231, 37), (160, 160, 160)
    assert colors["target"] == [dark, bright, middle, grey]
    assert colors["prediction"][:2] == [dark, bright]
    assert colors["prediction"][2] not in (middle, grey)
    assert colors["error"] == [dark, dark, bright, grey]


def test_panels_of_an_image_of_which_nothing_is_known():
    panels = task().panels(batch(0.0, 0.0, 0.0, 0.0), torch.ones(1, 1, 1, 4))
    assert (panels["target"] == 160).all()
    assert (panels["error"] == 160).all()


def test_an_unknown_measure_and_a_loss_of_the_other_one_are_refused():
    with pytest.raises(ValueError, match=r"task\.measure=feet: say log or metres"):
        task(measure="feet")
    for loss in (Silog(), WeightedSum({"silog": Silog(), "l1": L1()}, {"silog": 1.0, "l1": 1.0})):
        with pytest.raises(ValueError, match=r"task\.measure=metres, but \w+ compares logs .* l1 or berhu"):
            task(loss, measure="metres")
