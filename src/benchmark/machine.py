"""Where the figures come from: machine and versions."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from src.data.cores import usable_cores

LIBRARIES = (
    "torch",
    "torchvision",
    "lightning",
    "torchmetrics",
    "segmentation-models-pytorch",
    "opencv-python-headless",
    "numpy",
    "pillow",
)
PEERS = ("segmentation-models-pytorch", "kornia", "monai", "albumentations")  # of which some may be absent


def machine(threads: int) -> dict[str, Any]:
    """What a reader needs to judge the figures."""
    import torch

    return {
        "processor": _processor(),
        "cores": len(usable_cores()),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": threads,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": {name: installed(name) for name in LIBRARIES},
        "missing_peers": [name for name in PEERS if installed(name) is None],
    }


def installed(name: str) -> str | None:
    """The version of a library; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
