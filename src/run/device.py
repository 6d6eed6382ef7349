"""What the machine can do: which precision is fast on it."""

import platform
from pathlib import Path
from typing import Any

import torch


def resolved(trainer: dict[str, Any]) -> dict[str, Any]:
    """A trainer's options with what `auto` leaves to the machine decided, so that the run folder says what was run."""
    several = torch.cuda.device_count() > 1 and trainer["accelerator"] != "cpu" and trainer["devices"] != 1
    return trainer | {
        "precision": precision(trainer["precision"], trainer["accelerator"]),
        "sync_batchnorm": several if trainer["sync_batchnorm"] == "auto" else trainer["sync_batchnorm"],
    }


def precision(wanted: str | int, accelerator: str) -> str | int:
    """`auto` as what is fast here: bf16-mixed on a GPU or CPU that multiplies bf16 in hardware, else 32-true."""
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available() and accelerator in ("auto", "gpu", "cuda"):
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    return "bf16-mixed" if _cpu_multiplies_bf16() else "32-true"


def _cpu_multiplies_bf16() -> bool:
    flags = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not flags.exists():
        return False
    text = flags.read_text(errors="replace")
    return "amx_bf16" in text or "avx512_bf16" in text


def name(device: torch.device) -> str:
    """The device's own name, for results.json."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
