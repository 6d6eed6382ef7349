"""Every model learns with every loss that suits one class per pixel: a step on an image of odd sides."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn

from src.data.description import UNKNOWN
from tests.narrow import MODELS, dense

CONF = Path(__file__).resolve().parents[2] / "conf"
CLASSES, SIZE = 4, (33, 49)


@lru_cache(maxsize=1)
def model(name: str) -> nn.Module:
    """One at a time, and the same for all losses."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}", *MODELS.get(name, [])])
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=3, out_channels=CLASSES).train()


def loss(name: str) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        built = instantiate(compose(overrides=[f"+loss={name}"]).loss, _convert_="all")
    for part in built.modules():
        if hasattr(part, "calibrate"):
            part.calibrate(torch.tensor([10, 20, 30, 40]), torch.tensor([100, 90, 100, 100]))
    return built


@pytest.fixture(scope="module")
def batch() -> Iterator[tuple[Tensor, Tensor]]:
    """Two images of odd sides, and their classes in blocks, some of them unknown."""
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randint(CLASSES, (2, 5, 7), generator=generator)
    target = blocks.repeat_interleave(7, 1).repeat_interleave(7, 2)[:, : SIZE[0], : SIZE[1]].to(torch.uint8)
    target[:, 5:9, 3:20] = UNKNOWN
    return torch.rand(2, 3, *SIZE, generator=generator), target


@pytest.mark.parametrize("loss_name", dense("loss"))
@pytest.mark.parametrize("name", dense("model"))
def test_a_step_is_finite_and_changes_the_model(name, loss_name, batch):
    network, criterion, (image, target) = model(name), loss(loss_name), batch
    network.zero_grad()
    before = [parameter.detach().clone() for parameter in network.parameters()]
    output = network(image)
    assert output.shape == (2, CLASSES, *SIZE)
    value = criterion(output, target)
    assert value.isfinite()
    value.backward()
    reached = [(name, p.grad) for name, p in network.named_parameters() if p.grad is not None]
    assert [name for name, gradient in reached if not gradient.isfinite().all()] == []
    assert any(gradient.any() for _, gradient in reached)
    torch.optim.SGD(network.parameters(), lr=1e-2).step()
    assert any(not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True))
    assert all(parameter.isfinite().all() for parameter in network.parameters())
