"""FAULTS C1."""

import json
from unittest.mock import create_autospec

import lightning as L
import pytest
import torch
from lightning.pytorch.plugins import MixedPrecision
from torch import nn

from src.callback.guard import Guard, _Step
from src.data.sample import Batch
from src.run import checkpoint
from src.task.task import Task

OPTIONS = ["model=unet_paper", "model.width=2", "data.batch_size=2", "trainer.max_epochs=3"]


def poison(monkeypatch, value, step, term="dice"):
    """Make the loss's term `value` in training step `step`; the weights as they were before that step's update."""
    before, original = {}, Task.training_step

    def poisoned(self, batch, index):
        if self.trainer.global_step == step:
            before.update({key: tensor.clone() for key, tensor in self.state_dict().items()})
            forward = type(self.loss.losses[term]).forward
            with monkeypatch.context() as patch:
                patch.setattr(type(self.loss.losses[term]), "forward", lambda *args: forward(*args) * value)
                return original(self, batch, index)
        return original(self, batch, index)

    monkeypatch.setattr(Task, "training_step", poisoned)
    return before


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_run_before_the_update(run, monkeypatch, tmp_path, value):
    tasks = []
    monkeypatch.setattr(Guard, "setup", lambda self, trainer, task, stage: tasks.append(task), raising=False)
    before = poison(monkeypatch, value, step=6)
    with pytest.raises(ValueError, match=r"step 6: the loss is not finite \(.*dice (nan|inf).*train/0000\d") as raised:
        run(*OPTIONS, "loss=cross_entropy_dice")
    assert "cross_entropy 2." in str(raised.value)
    assert str(raised.value).count("train/") == 2  # the two images of the batch
    assert all(torch.equal(tensor, before[key]) for key, tensor in tasks[0].state_dict().items())
    saved = checkpoint.load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert saved["epoch"] == 0
    assert all(tensor.isfinite().all() for tensor in saved["state_dict"].values())
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "failed"


def test_a_gradient_that_is_no_number_names_the_parameter(run, monkeypatch):
    def spoil(module, *rest):
        module.head.weight.grad[0] = float("inf")

    original = Guard.on_before_optimizer_step

    def spoiled(self, trainer, task, optimizer):
        spoil(task.model)
        original(self, trainer, task, optimizer)

    monkeypatch.setattr(Guard, "on_before_optimizer_step", spoiled)
    with pytest.raises(ValueError, match=r"step 0: the gradient is not finite .*, first in model\.head\.weight"):
        run(*OPTIONS)


def test_all_batches_of_a_step_are_named(run, monkeypatch):
    poison(monkeypatch, float("nan"), step=1)
    with pytest.raises(ValueError, match="step 1: the loss is not finite") as raised:
        run(*OPTIONS, "loss=cross_entropy_dice", "trainer.accumulate_grad_batches=2")
    assert str(raised.value).count("train/") == 4


class Tiny(L.LightningModule):
    """What Guard reads of a task."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.terms = {"loss": torch.tensor(1.0)}


@pytest.fixture
def trainer():
    return create_autospec(L.Trainer, instance=True, global_step=7, precision_plugin=None)


def test_a_fused_optimizer_leaves_the_weights_alone_and_the_host_hears_of_it_one_step_later(trainer):
    """What happens on a GPU; the mask is the fused optimizer's own, which works on a CPU as well."""
    task, guard = Tiny(), Guard()
    optimizer = torch.optim.AdamW(task.parameters(), lr=0.1, fused=True)
    task.weight.grad = torch.ones(3)
    guard._mask(_step(task, bad=False), optimizer)
    optimizer.step()
    assert not torch.equal(task.weight, torch.ones(3))
    before = task.weight.detach().clone()
    guard._settle()
    task.weight.grad = torch.full((3,), float("nan"))
    guard._mask(_step(task, bad=True), optimizer)
    optimizer.step()
    assert torch.equal(task.weight, before)
    with pytest.raises(ValueError, match="step 7: the gradient is not finite"):
        guard.on_validation_start(trainer, task)


def _step(task, bad):
    return _Step(7, torch.tensor(bad), task.terms, ["a", "b"])


BATCH = Batch(image=torch.zeros(1, 3, 2, 2))


class Scaler(torch.amp.GradScaler):
    scale = 1024.0

    def __init__(self):
        super().__init__("cpu", enabled=False)

    def get_scale(self):
        return self.scale


def test_steps_that_the_gradient_scaler_skips_are_counted_and_end_the_run_when_too_many(trainer):
    task, guard = Tiny(), Guard(max_skipped_steps=3)
    trainer.precision_plugin = MixedPrecision("16-mixed", "cpu", scaler=Scaler())
    optimizer = torch.optim.SGD(task.parameters(), lr=0.1)
    task.weight.grad = torch.full((3,), float("inf"))
    guard.on_before_optimizer_step(trainer, task, optimizer)  # the scaler's business
    for lowered in (False, True, True, False, True, True, True):
        Scaler.scale /= 2 if lowered else 1
        guard.on_train_batch_end(trainer, task, None, BATCH, 0)
    assert guard.state_dict() == {"scale": 32.0, "skipped": 5, "in_a_row": 3}
    Scaler.scale /= 2
    with pytest.raises(ValueError, match="gradients overflowed 4 times in a row"):
        guard.on_train_batch_end(trainer, task, None, BATCH, 0)
    task.terms = {"loss": torch.tensor(float("nan"))}
    with pytest.raises(ValueError, match="the loss is not finite"):
        guard.on_before_optimizer_step(trainer, task, optimizer)
