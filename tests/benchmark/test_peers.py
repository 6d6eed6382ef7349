"""The peers of our losses: there is one for each, and they compute what they stand for."""

import pytest
import torch

from src.benchmark import peers as module
from src.benchmark.loss import NUM_CLASSES, _built, _directions
from src.benchmark.peers import peers
from src.data.description import UNKNOWN
from tests.narrow import dense

ALIKE = {  # peers whose formula is ours
    "cross_entropy": ["torch F.cross_entropy"],
    "binary_cross_entropy": ["torch, one-hot"],
    "focal": ["torch, from F.cross_entropy"],
    "ohem_cross_entropy": ["torch, F.cross_entropy and a sort"],
    "lovasz": ["smp LovaszLoss"],
}
ALONE = ("border_cross_entropy",)  # no library has it


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(NUM_CLASSES, (2, 16, 16), generator=generator)
    target[:, :2] = UNKNOWN
    return torch.randn(2, NUM_CLASSES, 16, 16, generator=generator), target


@pytest.mark.parametrize("name", dense("loss"))
def test_every_loss_has_a_peer_that_runs(name, batch):
    here = [loss for loss in peers(name, NUM_CLASSES).values() if loss]
    assert bool(here) is (name not in ALONE)
    for loss in here:
        output = batch[0].clone().requires_grad_()
        loss(output, batch[1]).backward()
        assert output.grad.isfinite().all()
        assert output.grad.any()


@pytest.mark.parametrize(("name", "peer"), [(name, peer) for name, alike in ALIKE.items() for peer in alike])
def test_a_peer_with_our_formula_gives_our_value(name, peer, batch):
    loss = peers(name, NUM_CLASSES)[peer]
    if loss is None:
        pytest.skip(f"{peer} is not installed")
    torch.testing.assert_close(loss(*batch), _built(name)(*batch))


@pytest.mark.parametrize("name", ["angle", "cosine"])
def test_peers_of_directions_give_our_value(name):
    output, target = _directions({"batch": 2, "size": [40, 8], "channels_last": False}, channels=3)
    (loss,) = peers(name, NUM_CLASSES).values()
    torch.testing.assert_close(loss(output, target), _built(name)(output, target))


def test_a_library_that_is_not_there_is_none(monkeypatch):
    monkeypatch.setattr(module, "installed", lambda name: None)
    assert peers("dice", NUM_CLASSES) == {"smp DiceLoss": None, "MONAI DiceLoss": None, "kornia": None}
    assert peers("cross_entropy_dice", NUM_CLASSES)["torch and smp DiceLoss"] is None
