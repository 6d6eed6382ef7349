import pytest
import torch

from src import scheduler

STEPS = 100


def rates(build, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = build(optimizer, STEPS, **options)
    found = []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return [*found, optimizer.param_groups[0]["lr"]]


@pytest.mark.parametrize(
    "build", [scheduler.poly, scheduler.cosine, scheduler.constant, scheduler.step, scheduler.exponential]
)
def test_a_warm_up_climbs_to_the_rate_and_no_higher(build):
    found = rates(build, warmup=0.1)
    assert found[:11] == pytest.approx([2 * (i + 1) / 11 for i in range(11)])
    assert max(found) == pytest.approx(2.0)
    assert found[0] > 0


def test_poly_is_torchs_own_without_a_warm_up():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    theirs = torch.optim.lr_scheduler.PolynomialLR(optimizer, STEPS, power=0.9)
    for ours in rates(scheduler.poly, warmup=0.0):
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_cosine_is_torchs_own_without_a_warm_up():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS, eta_min=0.2)
    for ours in rates(scheduler.cosine, warmup=0.0, final=0.1):
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_step_falls_at_its_milestones():
    found = rates(scheduler.step, milestones=(0.5, 0.8), factor=0.1)
    assert found[49] == 2.0
    assert found[50] == pytest.approx(0.2)
    assert found[80] == pytest.approx(0.02)


def test_exponential_is_torchs_own_and_ends_where_it_says():
    """FC-DenseNet's factor of .995 per epoch, here over 20 epochs of 5 steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    theirs = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.995 ** (1 / 5))
    found = rates(scheduler.exponential, final=0.995**20)
    for ours in found:
        assert ours == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        optimizer.step()
        theirs.step()
    assert found[5] == pytest.approx(2 * 0.995)


def test_an_exponential_that_would_end_at_nothing_is_refused():
    with pytest.raises(ValueError, match=r"final=0.0: no factor leads there"):
        rates(scheduler.exponential, final=0.0)


def test_a_warm_up_longer_than_the_run_is_refused():
    with pytest.raises(ValueError, match="warmup=1"):
        rates(scheduler.poly, warmup=1.0)
