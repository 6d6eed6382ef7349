"""The loops that others would write around the same model, loss and optimizer."""

import contextlib
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor

from src.benchmark.setup import Parts
from src.benchmark.turns import Turns
from src.data.sample import Batch


def bare(parts: Parts, turns: Turns) -> None:
    """Plain PyTorch, without anything that could be left out."""
    device = next(parts.model.parameters()).device
    parts.model.train()
    for batch in turns:
        image, mask = batch.image.to(device), batch.mask.to(device)
        with _autocast(parts.precision, device):
            loss = _loss(parts, image, mask)
        parts.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parts.optimizer.step()


def lightning(parts: Parts, turns: Turns, folder: Path, logging: bool = False, **options: Any) -> None:
    """Lightning around a module of a few lines.

    Args:
        folder: where its logger writes, if it has one.
        logging: whether the loss is logged, as Lightning's examples do it.
        options: of the Trainer.
    """
    device = next(parts.model.parameters()).device.type
    trainer = L.Trainer(
        accelerator=device, devices=1, max_epochs=1, precision=parts.precision, default_root_dir=str(folder), **options
    )
    trainer.fit(_Module(parts, logging), turns)


class _Module(L.LightningModule):
    def __init__(self, parts: Parts, logging: bool) -> None:
        super().__init__()
        self.model, self._parts, self._logging = parts.model, parts, logging

    def training_step(self, batch: Batch, index: int) -> Tensor:
        loss = _loss(self._parts, batch.image, batch.mask)
        if self._logging:
            self.log("train/loss", loss, prog_bar=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self._parts.optimizer


def _loss(parts: Parts, image: Tensor, mask: Tensor) -> Tensor:
    seen = (image.float() / 255).contiguous(memory_format=torch.channels_last)
    return parts.loss(parts.model(seen), mask)


def _autocast(precision: str, device: torch.device) -> Any:
    if precision == "32-true":
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16)  # what `precision=auto` resolves to
