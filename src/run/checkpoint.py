"""Checkpoints as untrusted files: read without running anything in them, and compared before they are loaded."""

import hashlib
import os
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn

_SHOWN = 8  # keys that an error lists

# The end of a zip archive is the length of its comment and the comment: here the SHA-256 of all that stands before,
# and of the two zeros that stood there when it had none.
SEAL = (71).to_bytes(2, "little")


def load(path: Path) -> dict[str, Any]:
    """A checkpoint's contents, on the CPU.

    Raises:
        ValueError: it is missing, unreadable, damaged, or holds anything but plain containers and tensors.
    """
    if not path.is_file():
        near = sorted(path.parent.glob("*.ckpt")) if path.parent.is_dir() else []
        there = f"; there are: {', '.join(file.name for file in near)}" if near else ""
        raise ValueError(f"{path}: there is no such checkpoint{there}")
    if not whole(path):
        raise ValueError(f"{path}: damaged, it does not have the content that its own SHA-256 names")
    try:
        contents = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, zipfile.BadZipFile, EOFError, OSError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ValueError(f"{path}: not a checkpoint that can be loaded safely ({reason})") from error
    if not isinstance(contents, dict) or "state_dict" not in contents:
        raise ValueError(f"{path}: holds no state_dict; a checkpoint of src.train was expected")
    return contents


def sealed(digest: "hashlib._Hash") -> bytes:
    """The comment of an archive with that digest."""
    return b"sha256=" + digest.hexdigest().encode()


def whole(path: Path) -> bool:
    """Whether the file is what was written, by its own seal; what another program wrote without one passes."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        length = len(SEAL) + len(sealed(hashlib.sha256()))
        file.seek(max(0, size - length))
        end = file.read()
        file.seek(0)
        if not end.startswith(SEAL):
            archive = file.read(4) == b"PK\3\4"
            return not archive or (end[-22:-18] == b"PK\5\6" and end[-2:] == b"\0\0")  # its end, without a comment
        digest, left = hashlib.sha256(), size - length
        while left and (block := file.read(min(left, 1 << 22))):
            digest.update(block)
            left -= len(block)
        digest.update(b"\0\0")
        return end == SEAL + sealed(digest)


def describe_mismatch(module: nn.Module, state: dict[str, Tensor]) -> list[str]:
    """Each key whose presence or shape differs between a module and stored weights, as a person would say it."""
    own = module.state_dict()
    missing = [f"{key}: missing in the file" for key in own if key not in state]
    extra = [f"{key}: only in the file" for key in state if key not in own]
    shaped = [
        f"{key}: {tuple(state[key].shape)} in the file, {tuple(value.shape)} in the model"
        for key, value in own.items()
        if key in state and state[key].shape != value.shape and value.numel() > 0
    ]
    return shaped + missing + extra


def load_weights(module: nn.Module, path: Path, state: dict[str, Tensor]) -> None:
    """Load weights that must all fit.

    Raises:
        ValueError: they do not, with the keys and shapes that differ.
    """
    mismatch = describe_mismatch(module, state)
    if mismatch:
        more = f"\n  ... and {len(mismatch) - _SHOWN} more" if len(mismatch) > _SHOWN else ""
        listed = "".join(f"\n  {line}" for line in mismatch[:_SHOWN])
        raise ValueError(f"{path} was made with another model ({len(mismatch)} keys differ):{listed}{more}")
    module.load_state_dict(state)


def take(module: nn.Module, state: dict[str, Tensor]) -> list[str]:
    """Load the weights that fit and leave the rest as it is; what was left, as a person would say it."""
    own = module.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    module.load_state_dict(fitting, strict=False)
    return describe_mismatch(module, state)
