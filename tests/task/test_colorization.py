from functools import partial

import pytest
import torch
from torch import nn

from src.data.description import Description
from src.data.gamut import centres, code
from src.data.lab import lab
from src.data.sample import Batch
from src.loss.color_bins import ColorBins
from src.loss.dice import Dice
from src.loss.smooth_l1 import SmoothL1
from src.task.colorization import Colorization


class Net(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.score, self.numbers = nn.Conv2d(in_channels, out_channels, 1), (in_channels, out_channels)

    def forward(self, image):
        self.seen = image
        return self.score(image)


def task(loss: nn.Module | None = None, channels: int = 3, **options) -> Colorization:
    loss = ColorBins(rebalance=False) if loss is None else loss
    description = Description(("image",), channels=channels)
    return Colorization(description, Net, loss, partial(torch.optim.SGD, lr=0.1), **options)


def batch(*colors: tuple[float, float, float], size: int = 12) -> Batch:
    image = torch.tensor(colors).view(-1, 3, 1, 1).expand(-1, 3, size, size).contiguous()
    return Batch(image, name=["x"] * len(colors), size=[(size, size)] * len(colors))


WARM, COLD, GREY = (0.8, 0.3, 0.2), (0.2, 0.3, 0.9), (0.5, 0.5, 0.5)


def test_the_network_sees_lightness_alone_from_0_to_1():
    made, given = task(), batch(WARM, (1.0, 1, 1), (0.0, 0, 0))
    assert made(given).shape == (3, 313, 12, 12)
    assert made.model.numbers == (1, 313)
    assert made.model.seen.shape == (3, 1, 12, 12)
    assert made.model.seen[1:, 0, 0, 0].tolist() == pytest.approx([1, 0], abs=1e-5)
    torch.testing.assert_close(made.model.seen, lab(given.image)[:, :1] / 100)
    assert task(SmoothL1()).model.numbers == (1, 2)


def test_bins_are_decoded_at_the_temperature():
    output = torch.zeros(1, 313, 1, 1)
    output[0, [0, 312]] = torch.tensor([[30.0], [29.0]])[..., None]
    first, last = centres()[0], centres()[312]
    for temperature, odds in ((1.0, torch.e), (0.38, torch.e ** (1 / 0.38))):
        expected = (odds * first + last) / (odds + 1)
        answer = task(temperature=temperature).answer(output).flatten()
        torch.testing.assert_close(answer, torch.as_tensor(expected), rtol=1e-3, atol=1e-2)
    assert torch.equal(task(temperature=0).answer(output).flatten(), first)


def test_a_regression_answers_in_units_of_a_and_b():
    output = torch.tensor([0.5, -0.25]).view(1, 2, 1, 1)
    assert task(SmoothL1()).answer(output).flatten().tolist() == [55.0, -27.5]


def test_the_loss_compares_a_and_b():
    made, given = task(SmoothL1()), batch(WARM)
    exact = lab(given.image)[:, 1:] / 110
    assert made.losses(exact, given)["loss"] < 1e-10
    assert made.losses(exact + 0.1, given)["loss"] == pytest.approx(0.05)


def test_the_mean_loss_of_an_evaluation_does_not_depend_on_the_batches():
    for loss in (ColorBins(rebalance=False), SmoothL1()):
        made = task(loss)
        parts = [batch(WARM, GREY), batch(COLD), batch(GREY)]
        whole = batch(WARM, GREY, COLD, GREY)
        weights = torch.stack([made.weight(part).double() for part in parts])
        prices = torch.stack([made.losses(made(part), part)["loss"].double() for part in parts])
        expected = made.losses(made(whole), whole)["loss"].double()
        mean = (weights * prices).sum() / weights.sum()
        torch.testing.assert_close(mean, expected, rtol=1e-5, atol=0)  # the prices are of single precision
        assert made.weight(whole) == weights.sum()


def test_scores_begin_with_the_headline():
    made, given = task(), batch(WARM, COLD)
    target = made.target(given)
    made.suites["val"].update(target[:, 1:], target)
    scores = made.named_scores(made.suites["val"].compute())
    assert next(iter(scores)) == "score"
    assert scores["score"] == scores["auc"] == 1


def test_panels_keep_the_lightness_and_show_where_colours_are_wrong():
    made, given = task(), batch(WARM, COLD)
    ab = lab(given.image)[:, 1:]
    answer = torch.cat([ab[:1], torch.zeros_like(ab[1:])])  # the first is right, the second stays grey
    panels = made.panels(given, answer)
    assert list(panels) == ["image", "grey", "prediction", "error"]
    assert all(panel.shape == (2, 3, 12, 12) and panel.dtype == torch.uint8 for panel in panels.values())
    assert torch.equal(panels["prediction"][0], panels["image"][0])
    assert torch.equal(panels["prediction"][1], panels["grey"][1])
    grey = panels["grey"].int()
    assert (grey.amax(1) - grey.amin(1)).max() <= 1
    torch.testing.assert_close(lab(grey / 255)[:, 0], lab(given.image)[:, 0], atol=0.4, rtol=0)
    assert panels["error"][:, :, 0, 0].tolist() == [[68, 1, 84], [253, 231, 37]]  # of viridis the ends


@pytest.mark.parametrize(("channels", "said"), [(1, "1 channel:"), (4, "4 channels:")])
def test_images_without_colours_are_refused(channels, said):
    with pytest.raises(ValueError, match=f"task=colorization .* {said} take a dataset of colour images"):
        task(channels=channels)


def test_a_loss_of_classes_is_refused():
    with pytest.raises(ValueError, match="Dice prices no colours: take loss=color_bins or loss=smooth_l1"):
        task(Dice())


def test_an_epoch_of_grey_images_is_free_and_finite():
    loss = ColorBins()
    loss.calibrate_colors(torch.bincount(code(torch.zeros(1, 2, 1, 1)).flatten(), minlength=256 * 256))
    made, given = task(loss), batch(GREY, GREY)
    price = made.losses(made(given), given)["loss"]
    price.backward()
    assert price == 0
    assert (made.model.score.weight.grad == 0).all()
    assert made.weight(given) == 0
