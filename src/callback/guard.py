"""A loss or gradient that is no number ends the run before it reaches the weights."""

from dataclasses import dataclass, field

import lightning as L
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from src.data.sample import Batch

_SHOWN = 8  # files that an error lists


@dataclass
class _Step:
    """What is known of a step whose flag may still be on its way from the device."""

    number: int
    bad: Tensor
    terms: dict[str, Tensor]
    names: list[str]
    gradients: dict[str, Tensor] = field(default_factory=dict)  # the norm of each, where nothing is in a hurry any more
    copied: torch.cuda.Event | None = None  # when the flag is on the host


class Guard(L.Callback):
    """Looks at loss and gradient before each update.

    On a CPU the answer is there at once. On an accelerator waiting for it would stall the queue: a fused optimizer gets
    the flag as it gets that of a gradient scaler, and leaves the weights alone; the host reads it one step later.
    Other optimizers wait.

    With `trainer.precision=16-mixed` the gradient scaler skips the steps whose gradients overflow; they are counted as
    train/skipped_steps, and too many in a row end the run.

    Raises:
        ValueError: naming the step, the term of the loss and the files of the batch.
    """

    def __init__(self, max_skipped_steps: int = 50) -> None:
        """See above.

        Args:
            max_skipped_steps: in a row, of those that a gradient scaler skips.
        """
        if max_skipped_steps < 1:
            raise ValueError(f"callback.guard.max_skipped_steps={max_skipped_steps}: at least 1")
        self._limit = max_skipped_steps
        self._names: list[str] = []  # of all batches that make the step
        self._pending: _Step | None = None
        self._scale, self._skipped, self._in_a_row = 0.0, 0, 0

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Batch, index: int) -> None:
        self._names += batch.name

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        self._settle()
        fine = torch.isfinite(pl_module.terms["loss"])
        if not self._scaler(trainer):  # else overflowing gradients are the scaler's
            fine = fine & torch.isfinite(_whole(get_total_norm(p.grad for p in _trained(optimizer))))
        bad = ~fine
        step = _Step(trainer.global_step, bad, pl_module.terms, self._names)
        self._names = []
        if bad.is_cuda and optimizer.defaults.get("fused") and not _divided(optimizer):
            self._mask(step, optimizer)
        elif bad:
            names = {id(parameter): name for name, parameter in pl_module.named_parameters()}
            step.gradients = {names[id(p)]: _whole(p.grad.norm()) for p in _trained(optimizer)}
            self._refuse(step)

    def _mask(self, step: _Step, optimizer: Optimizer) -> None:
        """Let the optimizer itself leave the weights alone, and read the flag with the next step."""
        optimizer.grad_scale, optimizer.found_inf = None, step.bad.float()
        step.bad = step.bad.to("cpu", non_blocking=True)
        if optimizer.found_inf.is_cuda:
            step.copied = torch.cuda.Event()
            step.copied.record()
        self._pending = step

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: Batch, index: int
    ) -> None:
        scaler = self._scaler(trainer)
        if scaler is None:
            return
        scale = scaler.get_scale()
        lowered = scale < self._scale
        self._skipped += lowered
        self._in_a_row = self._in_a_row + 1 if lowered else 0
        self._scale = scale
        if self._in_a_row > self._limit:
            raise ValueError(
                f"step {trainer.global_step}: the gradients overflowed {self._in_a_row} times in a row with "
                "trainer.precision=16-mixed: say trainer.precision=bf16-mixed or 32-true, or lower optimizer.lr"
            )

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._settle()  # before anything is saved
        if self._scaler(trainer):
            pl_module.log("train/skipped_steps", float(self._skipped))

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._settle()

    def state_dict(self) -> dict[str, float]:
        return {"scale": self._scale, "skipped": self._skipped, "in_a_row": self._in_a_row}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        self._scale = state_dict["scale"]
        self._skipped, self._in_a_row = int(state_dict["skipped"]), int(state_dict["in_a_row"])

    @staticmethod
    def _scaler(trainer: L.Trainer) -> torch.amp.GradScaler | None:
        return getattr(trainer.precision_plugin, "scaler", None)

    def _settle(self) -> None:
        """Read the flag of the step before."""
        step, self._pending = self._pending, None
        if step is None:
            return
        if step.copied:
            step.copied.synchronize()
        if step.bad:
            self._refuse(step)

    def _refuse(self, step: _Step) -> None:
        terms = {name: float(value) for name, value in step.terms.items()}
        said = ", ".join(f"{name} {value:.4g}" for name, value in terms.items())
        bad = [name for name, value in step.gradients.items() if not value.isfinite()]
        what = "the loss is not finite" if not torch.tensor(terms["loss"]).isfinite() else "the gradient is not finite"
        where = f", first in {bad[0]} and {len(bad) - 1} more" if bad and "gradient" in what else ""
        more = f" and {len(step.names) - _SHOWN} more" if len(step.names) > _SHOWN else ""
        raise ValueError(
            f"step {step.number}: {what} ({said}){where}; the weights are those of before this step. The batch: "
            f"{', '.join(step.names[:_SHOWN])}{more}. Lower optimizer.lr, say trainer.gradient_clip_val=1, or look at "
            "these files with src.doctor"
        )


def _whole(norm: Tensor) -> Tensor:
    """The norm of a gradient that several processes have parts of, as a plain tensor."""
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


def _divided(optimizer: Optimizer) -> bool:
    """Whether processes have parts of the parameters: the kernel then takes no flag that is whole."""
    return any(isinstance(parameter, DTensor) for parameter in _trained(optimizer))


def _trained(optimizer: Optimizer) -> list[torch.nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
