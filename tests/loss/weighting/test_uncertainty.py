import torch

from src.loss.weighting.interface import Weighting
from src.loss.weighting.uncertainty import Uncertainty

LOSSES = {"mask": torch.tensor(0.2), "depth": torch.tensor(30.0)}


def test_it_is_the_papers_sum_at_any_variance():
    weighting = Uncertainty(fields=list(LOSSES))
    assert isinstance(weighting, Weighting)
    sigma = torch.tensor([0.5, 3.0])
    weighting.log_variances.data = (sigma**2).log()
    terms = weighting(LOSSES)
    for name, loss, spread in zip(LOSSES, LOSSES.values(), sigma, strict=True):
        torch.testing.assert_close(terms[name], loss / spread**2 + spread.log())
        torch.testing.assert_close(weighting.weights[name], 1 / spread**2)


def test_each_weight_comes_to_rest_at_half_the_inverse_of_its_loss():
    weighting = Uncertainty(fields=list(LOSSES))
    for _ in range(200):
        (slope,) = torch.autograd.grad(sum(weighting(LOSSES).values()), [weighting.log_variances])
        weighting.log_variances.data -= 0.3 * slope.clamp(-1, 1)
    for name, loss in LOSSES.items():
        torch.testing.assert_close(weighting.weights[name], 1 / (2 * loss), rtol=1e-3, atol=0)


def test_a_field_of_which_nothing_is_known_teaches_nothing():
    weighting = Uncertainty(fields=list(LOSSES))
    sum(weighting(LOSSES | {"depth": torch.zeros((), requires_grad=True)}).values()).backward()
    assert weighting.log_variances.grad[0] != 0
    assert weighting.log_variances.grad[1] == 0
