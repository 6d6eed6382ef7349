import pytest
import torch
from torch import nn

from src.loss.weighting.gradient_norm import GradientNorm
from src.loss.weighting.interface import Weighting

FIELDS = ["one", "hundredfold"]


class Toy:
    """Two fields of the same difficulty on shared features, the loss of the second a hundredfold."""

    def __init__(self, **options):
        torch.manual_seed(0)
        self.trunk, self.heads = nn.Linear(8, 16), nn.ModuleList(nn.Linear(16, 4) for _ in FIELDS)
        self.x, self.targets = torch.randn(64, 8), torch.randn(2, 64, 4)
        self.weighting = GradientNorm(fields=FIELDS, **options)

    def losses(self):
        shared = self.trunk(self.x).tanh()
        found = [(head(shared) - target).square().mean() for head, target in zip(self.heads, self.targets, strict=True)]
        return {"one": found[0], "hundredfold": 100 * found[1]}, shared

    def pulls(self):
        losses, shared = self.losses()
        norms = [torch.autograd.grad(loss, shared, retain_graph=True)[0].norm() for loss in losses.values()]
        return [float(weight * norm) for weight, norm in zip(self.weighting.weights.values(), norms, strict=True)]

    def train(self, steps):
        model = [*self.trunk.parameters(), *self.heads.parameters()]
        groups = [{"params": self.weighting.parameters(), "lr": 0.025}, {"params": model, "lr": 0.001}]
        optimizer = torch.optim.Adam(groups)
        for _ in range(steps):
            losses, shared = self.losses()
            optimizer.zero_grad()
            sum(self.weighting(losses, [shared]).values()).backward()
            optimizer.step()


def test_fields_come_to_pull_alike_though_one_loss_is_a_hundredfold():
    toy = Toy(alpha=0.0)
    assert isinstance(toy.weighting, Weighting)
    one, other = toy.pulls()
    assert other > 50 * one
    toy.train(200)
    one, other = toy.pulls()
    assert other == pytest.approx(one, rel=0.1)
    assert sum(toy.weighting.weights.values()) == pytest.approx(2)


def test_a_field_that_lags_behind_may_pull_harder():
    toy = Toy(alpha=1.0)
    losses, shared = toy.losses()
    toy.weighting(losses, [shared])
    toy.weighting.first[0] *= 3  # a third of the first field's loss is left, all of the other's
    for _ in range(400):
        losses, shared = toy.losses()
        sum(toy.weighting(losses, [shared]).values()).backward()
        with torch.no_grad():
            toy.weighting.logits -= 0.02 * toy.weighting.logits.grad.sign()
        toy.weighting.logits.grad = None
    one, other = toy.pulls()
    assert other / one == pytest.approx(3, rel=0.1)


def test_the_terms_are_weighted_losses_and_their_gradients_of_the_model_as_well():
    toy = Toy()
    toy.weighting.logits.data = torch.tensor([0.7, -0.4])
    weights = 2 * toy.weighting.logits.softmax(0).detach()
    losses, shared = toy.losses()
    terms = toy.weighting(losses, [shared])
    torch.testing.assert_close(torch.stack(list(terms.values())), weights * torch.stack(list(losses.values())))
    expected = torch.autograd.grad(weights @ torch.stack(list(losses.values())), toy.trunk.weight, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(sum(terms.values()), toy.trunk.weight), expected)


def test_a_field_of_which_nothing_is_known_is_no_part_of_the_comparison():
    toy = Toy()
    losses, shared = toy.losses()
    terms = toy.weighting(losses | {"one": 0 * losses["one"]}, [shared])
    sum(terms.values()).backward()
    assert toy.weighting.first[0] == 0
    assert toy.weighting.first[1] == losses["hundredfold"]
    assert toy.weighting.logits.grad.tolist() == [0, 0]  # a field alone is its own mean
    assert toy.trunk.weight.grad.isfinite().all()


def test_without_shared_features_the_weights_stay_and_still_have_a_gradient():
    toy = Toy()
    losses, _ = toy.losses()
    sum(toy.weighting(losses).values()).backward()
    assert toy.weighting.logits.grad.tolist() == [0, 0]
