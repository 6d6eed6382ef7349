import copy

import pytest
import torch
import torch.distributed as dist
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from src.run.cluster.sharded import Sharded, _units
from src.run.storage import Storage


class Small(LightningModule):
    """A model in two groups of parameters, one of them frozen, as tasks make them."""

    def __init__(self, loss: nn.Module | None = None) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1))
        self.model.to(memory_format=torch.channels_last)
        self.model[2].weight.requires_grad_(False)
        self.loss = loss

    def optimizer(self) -> torch.optim.Optimizer:
        learnt = [p for p in self.model.parameters() if p.requires_grad]
        wide = [p for p in learnt if p.ndim > 1]
        return torch.optim.AdamW(
            [{"params": [p for p in learnt if p.ndim <= 1], "weight_decay": 0.0}, {"params": wide}], lr=0.1
        )


def step(module: Small, optimizer: torch.optim.Optimizer, seed: int) -> None:
    images = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    module.model(images).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


@pytest.fixture
def alone(tmp_path):
    """A group of one process: what is divided by one is whole, and goes the same way."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def divided(module: Small) -> tuple[Sharded, torch.optim.Optimizer]:
    strategy = Sharded()
    strategy._device_mesh = init_device_mesh("cpu", (1, 1), mesh_dim_names=("data_parallel", "tensor_parallel"))
    strategy._lightning_module = strategy.model = module
    strategy.divide(module)
    optimizer = module.optimizer()
    strategy.optimizers = [optimizer]
    return strategy, optimizer


def same(one: dict, other: dict) -> None:
    assert one["param_groups"] == other["param_groups"]
    assert one["state"].keys() == other["state"].keys()
    for number, values in one["state"].items():
        for key, value in values.items():
            assert torch.allclose(other["state"][number][key], value, atol=1e-6), (number, key)
            assert other["state"][number][key].stride() == value.stride(), (number, key)


def test_a_checkpoint_is_that_of_a_whole_model_and_goes_on_as_one(alone, tmp_path):
    whole = Small()
    other = copy.deepcopy(whole)
    optimizer = whole.optimizer()
    strategy, shards = divided(other)
    assert all(isinstance(p, DTensor) for p in other.model.parameters())
    step(whole, optimizer, 0)
    step(other, shards, 0)
    saved = {
        "state_dict": strategy.lightning_module_state_dict(),
        "optimizer_states": [strategy.optimizer_state(shards)],
    }
    same(optimizer.state_dict(), saved["optimizer_states"][0])
    Storage().save_checkpoint(saved, tmp_path / "last.ckpt")

    third = Small()
    strategy, shards = divided(third)
    strategy.load_checkpoint(tmp_path / "last.ckpt")
    step(whole, optimizer, 1)
    step(third, shards, 1)
    same(optimizer.state_dict(), strategy.optimizer_state(shards))
    found = strategy.lightning_module_state_dict()
    for key, value in whole.state_dict().items():
        assert torch.allclose(found[key], value, atol=1e-6), key


def test_processes_evaluate_without_waiting_for_one_another_and_may_save_meanwhile(alone):
    module = Small()
    before = copy.deepcopy(module.state_dict())
    strategy, optimizer = divided(module)
    strategy.on_validation_start()
    assert not any(isinstance(parameter, DTensor) for parameter in module.model.parameters())
    with torch.no_grad():
        module.eval().model(torch.zeros(1, 3, 6, 6))
    assert not any(isinstance(parameter, DTensor) for parameter in module.model.parameters())
    strategy.on_validation_end()
    assert all(isinstance(parameter, DTensor) for parameter in module.model.parameters())
    strategy.on_validation_start()
    found = strategy.lightning_module_state_dict()
    assert all(torch.equal(found[key], value) for key, value in before.items())
    strategy.on_validation_end()
    step(module, optimizer, 0)


def test_all_evaluate_with_the_statistics_of_the_first(alone, monkeypatch):
    module = Small()
    strategy, _ = divided(module)
    sent = []  # to the second of two processes, what the first would send
    monkeypatch.setattr(dist, "broadcast", lambda tensor, src: sent.append(src) or tensor.fill_(7))
    strategy.on_validation_start()
    assert set(sent) == {0}
    assert all((buffer == 7).all() for buffer in module.buffers())


def test_what_is_learnt_outside_of_the_model_is_refused(alone):
    with pytest.raises(ValueError, match=r"loss\.weight, loss\.bias is learnt outside of it: take trainer=ddp"):
        divided(Small(nn.Linear(2, 2)))


def test_one_process_is_refused():
    strategy = Trainer(accelerator="cpu", devices=1, strategy=Sharded(), logger=False, max_epochs=1).strategy
    with pytest.raises(ValueError, match=r"there is one: say trainer\.devices=2 or more"):
        strategy.setup_environment()


def test_large_layers_are_gathered_one_by_one_but_for_those_that_only_lend_their_weights():
    model = nn.ModuleDict({"large": nn.Linear(1000, 1001), "small": nn.Linear(10, 10)})
    model["attention"] = nn.MultiheadAttention(1024, 8)
    assert _units(model) == [model["large"]]
