from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from src.data.description import Description
from src.data.sample import Batch
from src.loss.angle import Angle
from src.loss.angmf import AngMF
from src.loss.cosine import Cosine
from src.loss.weighted_sum import WeightedSum
from src.task.normals import Normals

TOWARDS = (0.0, 0.0, -1.0)  # the viewer


class Net(nn.Module):
    """As many maps as are asked for, of half the image's size."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.score = nn.Conv2d(in_channels, out_channels, 2, 2)

    def forward(self, image):
        return self.score(image)


def made(loss=None):
    description = Description(("image", "normals"))
    return Normals(description, Net, loss or Angle(), partial(torch.optim.SGD, lr=0.1)).eval()


def batch(normals, size=(4, 4)):
    return Batch(torch.rand(len(normals), 3, 4, 4), normals=normals, name=["x"], size=[size] * len(normals))


def column(*vectors):
    return torch.tensor(vectors).T[None, :, :, None]


def test_the_network_has_what_the_loss_wants_and_answers_at_the_size_of_the_file():
    assert made()(batch(torch.zeros(1, 3, 7, 9), (7, 9))).shape == (1, 3, 7, 9)
    task = made(AngMF())
    output = task(batch(torch.zeros(1, 3, 7, 9), (7, 9)))
    assert output.shape == (1, 4, 7, 9)
    assert task.answer(output).shape == (1, 3, 7, 9)


def test_an_answer_is_of_unit_length_and_in_single_precision():
    output = column((3.0, 0.0, -4.0), (0.0, 1e-4, 0.0)).bfloat16()
    torch.testing.assert_close(made().answer(output).norm(dim=1), torch.ones(1, 2, 1), rtol=0, atol=1e-6)


def test_the_loss_sees_unit_vectors_and_not_what_is_unknown():
    seen = {}

    class Loss(nn.Module):
        channels = 4

        def forward(self, output, target):
            seen.update(output=output, target=target)
            return output.sum()

    output = torch.cat([column((3.0, 0.0, -4.0), (0.0, 2.0, 0.0)), torch.full((1, 1, 2, 1), 7.0)], 1)
    made(Loss()).losses(output, batch(column((0.0, 0.0, 0.0), TOWARDS)))
    assert seen["output"].flatten(1).tolist()[0] == pytest.approx([0.6, 0, 0, 1, -0.8, 0, 7, 7])
    assert seen["target"].isnan().all(1).flatten().tolist() == [True, False]


def test_the_gradient_is_finite_where_the_output_is_nothing():
    output = torch.zeros(1, 3, 2, 1, requires_grad=True)
    loss = made().losses(output, batch(column(TOWARDS, (0.0, 0.0, 0.0))))["loss"]
    slope = torch.autograd.grad(loss, output)[0]
    assert slope.isfinite().all()
    assert slope[..., 0, 0].norm() > 0
    assert (slope[..., 1, 0] == 0).all()


def test_terms_are_weighted_and_a_batch_counts_its_known_pixels():
    task = made(WeightedSum({"angle": Angle(), "cosine": Cosine()}, {"angle": 1.0, "cosine": 3.0}))
    example = batch(column(TOWARDS, TOWARDS, (0.0, 0.0, 0.0)))
    terms = task.losses(column((1.0, 0.0, 0.0), TOWARDS, TOWARDS), example)
    assert {name: float(term) for name, term in terms.items()} == pytest.approx(
        {"angle": torch.pi / 4, "cosine": 3 / 2}
    )
    assert task.weight(example) == 2


def test_panels_are_painted_as_people_know_them():
    right, up, away = (1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, 0.0)
    target = F.normalize(column(right, up, TOWARDS, away), dim=1)
    panels = made().panels(batch(target, (4, 1)), target.roll(1, 2))
    colors = [tuple(color) for color in panels["target"][0, :, :, 0].T.tolist()]
    assert colors == [(255, 128, 128), (128, 255, 128), (128, 128, 255), (128, 128, 128)]
    error = [tuple(color) for color in panels["error"][0, :, :, 0].T.tolist()]
    assert error == [(253, 231, 37)] * 3 + [(160, 160, 160)]
    right = made().panels(batch(target, (4, 1)), target)["error"][0, :, :3, 0]
    assert [tuple(color) for color in right.T.tolist()] == [(68, 1, 84)] * 3
