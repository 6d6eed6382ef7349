"""The loop every task shares: forward, named losses, an answer in the target's units, one suite per stage."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, final

import lightning as L
import torch
from jaxtyping import Float, Integer, UInt8
from lightning.pytorch.plugins.precision import Precision
from lightning.pytorch.utilities import GradClipAlgorithmType
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils._pytree import tree_map_only
from torchmetrics import MetricCollection

from src.data.description import Description
from src.data.sample import Batch
from src.data.sampler import seeded

STAGES = ("val", "test")
_BACKBONE = ("backbone.", "neck.stage.")  # what the names of its parameters begin with


class Task(L.LightningModule, ABC):
    """A model, its loss and what it is scored by; subclasses say what one batch means, the rest is final."""

    fields: tuple[str, ...]  # of a Sample, those that the task needs

    def __init__(
        self,
        description: Description,
        model: nn.Module,
        loss: nn.Module,
        suite: MetricCollection,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        backbone_rate: float = 1.0,
        freeze: Sequence[str] = (),
        channels_last: bool = True,
        compile: bool = False,
    ) -> None:
        """Put the parts together.

        Args:
            description: of the dataset.
            model: built and complete.
            loss: `loss(output, target) -> scalar`; one with `terms` has each of them logged.
            suite: what is scored; its first key is the headline.
            optimizer: completed with parameter groups.
            scheduler: completed with the optimizer and the number of steps.
            backbone_rate: the backbone's learning rate, relative to the rest.
            freeze: parts of the model that are not trained, such as [backbone].
            channels_last: memory format of images and weights; faster for convolutions in bf16.
            compile: whether torch.compile runs the model.
        """
        super().__init__()
        self.description, self.loss = description, loss
        self.model = model.to(memory_format=torch.channels_last) if channels_last else model
        self.suites = nn.ModuleDict({stage: suite.clone(prefix=None) for stage in STAGES})
        self.values: dict[str, dict[str, Any]] = {}  # stage -> what the suite computed, after the stage
        self.scores: dict[str, dict[str, float]] = {}  # the same as plain numbers by name
        self._optimizer, self._scheduler, self._backbone_rate = optimizer, scheduler, backbone_rate
        self._format = torch.channels_last if channels_last else torch.contiguous_format
        self._frozen = [self._part(name) for name in freeze]
        for part in self._frozen:
            part.requires_grad_(False)
        if compile:
            self.model.compile()
        self.terms: dict[str, Tensor] = {}  # of the last training step: the loss, and what it is the sum of
        self._running: dict[str, Tensor] = {}  # sums of these over the epoch's steps so far
        self._steps = 0
        self._rate = 0.0  # of the last step, the head's
        # sums of loss times weight, of weights, of batches; a column for each term that has a weight of its own
        self._eval_loss = torch.zeros(3, 1, dtype=torch.float64)

    # What a task is.

    @abstractmethod
    def forward(self, batch: Batch) -> Any:
        """The model's raw output; in evaluation at the size of the file."""

    @abstractmethod
    def losses(self, output: Any, batch: Batch) -> dict[str, Tensor]:
        """Named terms whose sum is minimised; none for an output of evaluation that has no price."""

    @abstractmethod
    def answer(self, output: Any) -> Any:
        """The output in the units of the target: for metrics, pictures and predictions."""

    @abstractmethod
    def target(self, batch: Batch) -> Any:
        """The part of the batch that is the right answer."""

    @abstractmethod
    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        """What the suite computed as plain numbers by name, the headline under `score` among them."""

    @abstractmethod
    def panels(self, batch: Batch, answer: Any) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """What a person looks at, by title: image, target, prediction, error."""

    def weight(self, batch: Batch) -> Float[Tensor, " *apart"] | Integer[Tensor, " *apart"]:
        """What the batch counts in the mean loss of an evaluation: its samples, unless the task knows better."""
        return torch.tensor(float(len(batch)), device=self.device)

    @property
    def apart(self) -> int:
        """How many terms of the loss have a weight of their own; 1 where they have one weight together."""
        return 1

    def figures(self) -> dict[str, Tensor]:
        """What else is logged of the training, by name: that which is learnt beside the model."""
        return {}

    # What no task changes.

    @final
    def sized(self, output: Float[Tensor, " b k _ _"], batch: Batch) -> Float[Tensor, " b k h w"]:
        """In evaluation at the size of the file, whatever size the network saw; in training as it is."""
        if self.training or output.shape[-2:] == tuple(batch.size[0]):
            return output
        return F.interpolate(output, tuple(batch.size[0]), mode="bilinear", align_corners=False)

    @final
    def pictured(self, batch: Batch) -> UInt8[Tensor, " b 3 i j"]:
        """The images as a person sees them, at the size of the file; of other than three channels the first."""
        image = F.interpolate(batch.image.float(), tuple(batch.size[0]), mode="bilinear", antialias=True).clamp(0, 1)
        image = image[:, :3] if image.shape[1] >= 3 else image[:, :1].expand(-1, 3, -1, -1)
        return (image * 255).round().byte()

    @final
    def transfer_batch_to_device(self, batch: Batch | None, device: torch.device, dataloader_idx: int) -> Batch | None:
        """Lightning's own looks through every container there could be, which takes a small network's forward pass."""
        if batch is None or batch.image.device == device:
            return batch
        return tree_map_only(Tensor, lambda tensor: tensor.to(device, non_blocking=True), batch)

    @final
    def on_after_batch_transfer(self, batch: Batch | None, dataloader_idx: int) -> Batch | None:
        """Images become floats in [0, 1] on the device; until here they travel as the file's own type."""
        if batch is None:
            return None
        low, high = self.description.value_range
        image = batch.image.float().sub_(low).div_(high - low)
        return replace(batch, image=image.contiguous(memory_format=self._format))

    @final
    def training_step(self, batch: Batch, index: int) -> Tensor:
        """One step; nothing here waits for the device."""
        terms = self.losses(self(batch), batch)
        loss = torch.stack(list(terms.values())).sum()
        shown = {"loss": loss, **(terms if len(terms) > 1 else {})}
        self.terms = {name: value.detach() for name, value in shown.items()}
        first = self.trainer.fit_loop.epoch_loop.batch_progress.current.ready == 1 or not self._running
        self._running = (
            self.terms if first else {name: self._running[name] + value for name, value in self.terms.items()}
        )
        self._steps = 1 if first else self._steps + 1
        self._rate = self.trainer.optimizers[0].param_groups[-1]["lr"]  # the last group is the head's
        if self.trainer.global_step % self.trainer.log_every_n_steps == 0 or self.trainer.is_last_batch:
            self._tell()
        return loss

    def _tell(self) -> None:
        """Log the means over the epoch so far; Lightning's own logging would leave out an epoch's last step."""
        figures = {f"train/{name}": float(total / self._steps) for name, total in self._running.items()}
        figures["train/lr"] = self._rate
        figures |= {f"train/{name}": float(value) for name, value in self.figures().items()}
        for name, value in figures.items():
            self.log(name, value, prog_bar=name == "train/loss", logger=False)
        for logger in self.loggers:
            logger.log_metrics(figures, self.trainer.global_step)

    @final
    def on_train_batch_start(self, batch: Batch, index: int) -> None:
        """Seed dropout and its like by the step, so that a resumed run draws what an uninterrupted one would."""
        seed = seeded(self._seed, self.trainer.global_step, self.trainer.global_rank)
        # torch.manual_seed() would note the whole stack for each device that is not there
        torch.default_generator.manual_seed(seed)
        if batch.image.is_cuda:
            torch.cuda.manual_seed(seed)
        elif batch.image.is_mps:
            torch.mps.manual_seed(seed)

    @final
    def on_fit_start(self) -> None:
        self._seed = getattr(self.trainer.datamodule, "seed", 0)

    @final
    def train(self, mode: bool = True) -> "Task":
        """As nn.Module has it, but frozen parts stay in evaluation: their normalisation must not drift."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    @final
    def validation_step(self, batch: Batch | None, index: int) -> Any:
        return self._evaluate("val", batch)

    @final
    def test_step(self, batch: Batch | None, index: int) -> Any:
        return self._evaluate("test", batch)

    def _evaluate(self, stage: str, batch: Batch | None) -> Any:
        if batch is None:  # this rank has nothing to do
            return None
        output = self(batch)
        self._eval_loss += self._priced(output, batch)
        answer = self.answer(output)
        self.suites[stage].update(answer, self.target(batch))
        return answer

    def _priced(self, output: Any, batch: Batch) -> Tensor:
        """The batch's loss times its weight, the weight, and one: sums that add up over batches and ranks."""
        terms = self.losses(output, batch)
        if not terms:
            return torch.zeros_like(self._eval_loss)  # no batch that was priced
        loss = torch.stack(list(terms.values())).detach()
        loss = (loss if self.apart > 1 else loss.sum(0, keepdim=True)).double()
        weight = self.weight(batch).double().reshape(self.apart)
        return torch.stack([loss * weight, weight, torch.ones_like(weight)])

    @final
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["running"] = {"sums": self._running, "steps": self._steps, "rate": self._rate}

    @final
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        running = checkpoint["running"]
        self._running, self._steps, self._rate = running["sums"], running["steps"], running["rate"]

    @final
    def on_validation_epoch_start(self) -> None:
        if self._running and "train/loss" not in self.trainer.callback_metrics:  # resumed after the epoch's last step
            self._tell()
        self._start()

    @final
    def on_test_epoch_start(self) -> None:
        self._start()

    def _start(self) -> None:
        self._eval_loss = torch.zeros(3, self.apart, dtype=torch.float64, device=self.device)

    @final
    def on_validation_epoch_end(self) -> None:
        self._finish("val")

    @final
    def on_test_epoch_end(self) -> None:
        self._finish("test")

    def _finish(self, stage: str) -> None:
        self.values[stage] = self.suites[stage].compute()
        self.suites[stage].reset()
        total, weight, batches = self.trainer.strategy.reduce(self._eval_loss, reduce_op="sum")
        priced = {"loss": float(_summed(total / weight))} if batches.any() else {}
        self.scores[stage] = self.named_scores(self.values[stage]) | priced
        for name, value in self.scores[stage].items():  # every rank holds the same: nothing to synchronise
            self.log(f"{stage}/{name}", value, prog_bar=name == "score", rank_zero_only=False, sync_dist=False)

    @final
    def configure_model(self) -> None:
        """Lightning calls this before the optimizer is made: a strategy that divides models does so now."""
        divide = getattr(self.trainer.strategy, "divide", None)
        if divide:
            divide(self)

    @final
    def configure_optimizers(self) -> Any:
        """Weight decay spares norms and biases; the backbone may learn at a rate of its own, and so may the loss."""
        optimizer = self._optimizer(
            [*learnt(self.loss, self._optimizer), *groups(self.model, self._optimizer, self._backbone_rate)]
        )
        if self._scheduler is None:
            return optimizer
        steps = self.trainer.estimated_stepping_batches
        if steps == float("inf"):
            raise ValueError("a schedule needs an end: say trainer.max_epochs or trainer.max_steps")
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._scheduler(optimizer, int(steps)), "interval": "step"},
        }

    @final
    def configure_gradient_clipping(
        self, optimizer: Optimizer, gradient_clip_val: float | None = None, gradient_clip_algorithm: str | None = None
    ) -> None:
        """Lightning's own refuses fused optimizers in bf16 too, but it is fp16 alone whose gradients are scaled."""
        if self.trainer.precision == "16-mixed":
            super().configure_gradient_clipping(optimizer, gradient_clip_val, gradient_clip_algorithm)
        elif gradient_clip_val:
            algorithm = GradClipAlgorithmType(gradient_clip_algorithm or "norm")
            Precision.clip_gradients(self.trainer.precision_plugin, optimizer, gradient_clip_val, algorithm)

    def _part(self, name: str) -> nn.Module:
        try:
            return self.model.get_submodule(name)
        except AttributeError as error:
            parts = [child for child, _ in self.model.named_children()]
            raise ValueError(f"task.freeze: the model has no part {name!r}; it has {parts}") from error


def groups(model: nn.Module, optimizer: Callable[..., Optimizer], backbone_rate: float) -> list[dict[str, Any]]:
    """Parameter groups: {backbone, rest} x {decayed, spared}, the empty ones left out.

    Args:
        model: its part `backbone`, if it has one, learns at `backbone_rate` times the rate, and so does a stage of the
            backbone that a detector's neck applies to each region.
        optimizer: a partial whose `lr` is the rate.
        backbone_rate: 1 for one rate everywhere.
    """
    lr = getattr(optimizer, "keywords", {}).get("lr")
    backbone = {id(p) for name, p in model.named_parameters() if name.startswith(_BACKBONE)}
    spared = {id(p) for p in _spared(model)}
    found: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            found.setdefault((id(parameter) in backbone, id(parameter) in spared), []).append(parameter)
    if not found:
        raise ValueError("task.freeze leaves nothing to train")
    if backbone_rate != 1 and not backbone:
        raise ValueError(
            f"task.backbone_rate={backbone_rate}: {type(model).__name__} has no part named backbone; say 1 for one "
            "rate everywhere, or take a model with a backbone, such as model=unet"
        )
    if backbone_rate != 1 and lr is None:
        raise ValueError("task.backbone_rate needs optimizer.lr, and this optimizer names none")
    return [
        {"params": parameters}
        | ({"weight_decay": 0.0} if is_spared else {})
        | ({"lr": lr * backbone_rate} if is_backbone and backbone_rate != 1 else {})
        for (is_backbone, is_spared), parameters in found.items()
    ]


def learnt(loss: nn.Module, optimizer: Callable[..., Optimizer]) -> list[dict[str, Any]]:
    """The parameter group of what a loss learns, such as weights, without decay; none where it learns nothing.

    Args:
        loss: its `rate`, where it says one, is relative to the optimizer's.
        optimizer: a partial whose `lr` is that rate.
    """
    parameters = [parameter for parameter in loss.parameters() if parameter.requires_grad]
    if not parameters:
        return []
    lr, rate = getattr(optimizer, "keywords", {}).get("lr"), getattr(loss, "rate", 1.0)
    if rate != 1 and lr is None:
        raise ValueError(f"loss.weighting.rate={rate} is relative to optimizer.lr, and this optimizer names none")
    return [{"params": parameters, "weight_decay": 0.0} | ({"lr": lr * rate} if rate != 1 else {})]


def _summed(means: Float[Tensor, " terms"]) -> Float[Tensor, ""]:
    """The sum; of several terms, one of which nothing was known anywhere costs nothing."""
    return means.nansum() if len(means) > 1 else means.sum()


def _spared(model: nn.Module) -> Iterable[nn.Parameter]:
    """Biases and the scales of normalisation: vectors and scalars, in every model there is."""
    return (parameter for parameter in model.parameters() if parameter.ndim <= 1)
