"""When memory runs out: how that shows itself, and what to lower then."""

import errno
from typing import Any

import torch

_SIGNS = (
    "out of memory",  # CUDA, MPS and XLA, where the error has no type of its own
    "can't allocate memory",  # PyTorch's allocator of the CPU
    "not enough memory",  # the same on Windows
    "_STATUS_ALLOC_FAILED",  # cuBLAS and cuDNN
    "Insufficient memory",  # OpenCV
)


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on an accelerator or in the machine: in this error, or in the one that caused it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:  # a process or a mapping that did not fit
        return True
    # a type of its own tells more than its text does: a ValueError may quote anything
    told = type(error) in (RuntimeError, torch.AcceleratorError) or type(error).__module__ == "cv2"
    if told and any(sign in str(error) for sign in _SIGNS):
        return True
    return error.__cause__ is not None and out_of_memory(error.__cause__)


def advice(settings: dict[str, Any]) -> str:
    """What to lower so that a training fits, cheapest first, as options that may follow the same command.

    Args:
        settings: a run's config as plain containers; a key that is not there is not advised on.
    """
    data, trainer, transform = (settings.get(key) or {} for key in ("data", "trainer", "transform"))
    ways = [_batch(data, trainer), _evaluation(data), _precision(trainer), _size(data, transform)]
    return f"Lower one of these: {'; '.join([*filter(None, ways), 'or choose a smaller model'])}"


def _batch(data: dict[str, Any], trainer: dict[str, Any]) -> str | None:
    batch, steps = data.get("batch_size"), trainer.get("accumulate_grad_batches", 1)
    if not batch or batch == 1:
        return None
    less = batch // 2 if batch % 2 == 0 else 1
    more = steps * (batch // less)
    return f"data.batch_size={less} trainer.accumulate_grad_batches={more} (now {batch} and {steps}: the same step)"


def _evaluation(data: dict[str, Any]) -> str | None:
    batch = data.get("eval_batch_size") or data.get("batch_size")
    return f"data.eval_batch_size=1 (now {batch}), if it was an evaluation" if batch and batch > 1 else None


def _precision(trainer: dict[str, Any]) -> str | None:
    now = trainer.get("precision")
    return f"trainer.precision=bf16-mixed (now {now})" if now is not None and "16" not in str(now) else None


def _size(data: dict[str, Any], transform: dict[str, Any]) -> str | None:
    if "size" not in data:
        return None
    key = "transform.crop" if transform.get("crop") else "data.size"
    now = transform.get("crop") or data["size"]
    if now is None:
        return "data.size=[height,width] (now null: the network sees whole images)"
    return f"{key}=[{now[0] // 2},{now[1] // 2}] (now [{now[0]},{now[1]}])"
