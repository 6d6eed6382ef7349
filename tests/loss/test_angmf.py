import math

import pytest
import torch
from torch.nn import functional as F

from src.loss.angmf import AngMF, mean_angle


def raw(kappa):
    """What the network says for a κ of at least 1."""
    return kappa - 1 - AngMF().min_kappa


def sphere(steps=2000):
    """Directions at all angles to (0, 0, -1), and the area of the ring that each stands for."""
    theta = (torch.arange(steps, dtype=torch.float64) + 0.5) * math.pi / steps
    vectors = torch.stack([theta.sin(), torch.zeros_like(theta), -theta.cos()], 1)[..., None, None]
    return theta, vectors, 2 * math.pi * theta.sin() * math.pi / steps


def density(kappa, vectors):
    output = torch.tensor([0, 0, -1, raw(kappa)], dtype=torch.float64).view(1, 4, 1, 1)
    return torch.stack([AngMF()(output, vector[None]) for vector in vectors]).neg().exp()


@pytest.mark.parametrize("kappa", [1.0, 5.0, 30.0])
def test_the_density_integrates_to_one_over_the_sphere(kappa):
    _, vectors, area = sphere()
    assert float((density(kappa, vectors) * area).sum()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("kappa", [1.0, 5.0, 30.0])
def test_the_mean_angle_is_that_of_the_density(kappa):
    theta, vectors, area = sphere()
    mean = (density(kappa, vectors) * area * theta).sum()
    assert float(mean_angle(torch.tensor(kappa))) == pytest.approx(float(mean), abs=1e-4)


@pytest.mark.parametrize("degrees", [2.0, 20.0, 50.0])
def test_kappa_settles_where_its_mean_angle_is_the_error(degrees):
    low, high = 0.5, 200.0
    for _ in range(60):  # the mean angle falls with κ
        middle = (low + high) / 2
        low, high = (middle, high) if mean_angle(torch.tensor(middle)).rad2deg() > degrees else (low, middle)
    turn = math.radians(degrees)
    target = torch.tensor([math.sin(turn), 0, -math.cos(turn)]).view(1, 3, 1, 1)

    def pull(kappa):
        value = raw(kappa) if kappa > 1 else math.log(kappa - AngMF().min_kappa)
        output = torch.tensor([0, 0, -1, value]).view(1, 4, 1, 1).requires_grad_()
        return float(torch.autograd.grad(AngMF()(output, target), output)[0][0, 3])

    assert pull(low) == pytest.approx(0, abs=1e-4)
    assert pull(0.8 * low) < -1e-3  # surer
    assert pull(1.25 * low) > 1e-4  # less sure


def test_nothing_is_as_uncertain_as_every_direction_alike():
    target = F.normalize(torch.randn(1, 3, 4, 4), dim=1)
    output = torch.cat([torch.randn(1, 3, 4, 4), torch.full((1, 1, 4, 4), -30.0)], 1)
    assert float(AngMF(min_kappa=0.0)(output, target)) == pytest.approx(math.log(4 * math.pi), abs=1e-5)


def test_a_negative_least_kappa_is_refused():
    with pytest.raises(ValueError, match=r"loss\.min_kappa=-1"):
        AngMF(min_kappa=-1.0)
