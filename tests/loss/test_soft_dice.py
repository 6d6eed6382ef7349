import torch

from src.loss.soft_dice import SoftDice


def test_the_lectures_example(lecture):
    output, target = lecture
    torch.testing.assert_close(1 - SoftDice()(output, target), torch.tensor(2 * 7.41 / (6.9132 + 8)))
    assert round(1 - SoftDice()(output, target).item(), 4) == 0.9938


def test_value_and_gradient_are_the_formula(scene):
    output, target = scene
    p = output.double().softmax(1).movedim(1, -1)[target != 255]
    losses = []
    for index in range(4):  # the classes that occur
        y = (target[target != 255] == index).double()
        losses.append(1 - (2 * (y * p[:, index]).sum() + 1) / (y.sum() + (p[:, index] ** 2).sum() + 1))
    expected = torch.stack(losses).mean().float()
    ours = SoftDice(smooth=1.0)(output, target)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(expected, output))
