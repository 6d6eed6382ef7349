"""An ensemble in a task's place: what a trainer needs to score it on a split, as it scores a single network."""

from typing import final

import lightning as L
import torch
from jaxtyping import Num, UInt8
from torch import Tensor, nn

from src.data.sample import Batch
from src.run.inference.ensemble import Ensemble
from src.run.inference.fused import Fused


class Scored(L.LightningModule):
    """Sees batches as files hold them, for each member resizes them itself; scored by the first member's suite."""

    def __init__(self, ensemble: Ensemble | Fused) -> None:
        """Take the members' networks in, so that the trainer moves them to its device."""
        super().__init__()
        self._ensemble, self.description = ensemble, ensemble.description
        self.tasks = nn.ModuleList(member.task for member in ensemble.members)
        self.scores: dict[str, dict[str, float]] = {}  # stage -> plain numbers by name, after the stage
        self._task = ensemble.members[0].task
        self.fields = self._task.fields
        self._loss = torch.zeros(2, dtype=torch.float64)  # sum of loss times weight, sum of weights

    @final
    def transfer_batch_to_device(self, batch: Batch | None, device: torch.device, dataloader_idx: int) -> Batch | None:
        """Resizing, which comes first, is the host's."""
        return batch

    @final
    def test_step(self, batch: Batch | None, index: int) -> Tensor | None:
        """The answer, counted; None where this rank has nothing to do."""
        if batch is None:
            return None
        output = self._ensemble(batch.image, tuple(batch.size[0]))
        batch = batch.to(output.device)
        loss = torch.stack(list(self._task.losses(output, batch).values())).sum().double()
        weight = self._task.weight(batch).double()
        self._loss += torch.stack([loss * weight, weight])
        answer = self._ensemble.answer(output)
        self._task.suites["test"].update(answer, self._task.target(batch))
        return answer

    def panels(self, batch: Batch, answer: Num[Tensor, " b *k h w"]) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """As the task draws them."""
        return self._task.panels(self._task.on_after_batch_transfer(batch.to(answer.device), 0), answer)

    @final
    def on_test_epoch_start(self) -> None:
        self._loss = torch.zeros(2, dtype=torch.float64, device=self.device)

    @final
    def on_test_epoch_end(self) -> None:
        """What the task's suite says, and the mean loss."""
        values = self._task.suites["test"].compute()
        self._task.suites["test"].reset()
        total, weight = self.trainer.strategy.reduce(self._loss, reduce_op="sum")
        self.scores["test"] = self._task.named_scores(values) | {"loss": float(total / weight)}
