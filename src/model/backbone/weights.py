"""Weights for a backbone: fetched or read from a file, and fitted, or refused with what does not fit."""

import logging
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision import models

TIMEOUT = 10  # seconds that a silent network is waited for

log = logging.getLogger(__name__)


@contextmanager
def fetching(source: str) -> Iterator[None]:
    """Around a download: turns "there is no network" into one sentence that says what to do.

    Raises:
        ValueError: nothing could be fetched from `source`.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    except OSError as error:  # no network, no answer, no such file: urllib's errors are all of this kind
        raise ValueError(
            f"weights=default: {source} cannot be fetched ({error}); download the file where there is a network and "
            "pass weights=PATH, or train from random weights with weights=null"
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def load(network: nn.Module, weights: str | None, name: str) -> None:
    """Fill a network whose tensors are named as torchvision's of that name are.

    Args:
        network: filled in place.
        weights: null for none, default for torchvision's best on ImageNet, or the path of a file.
        name: torchvision's.

    Raises:
        ValueError: the weights cannot be had or do not fit.
    """
    if weights == "default":
        url = models.get_model_weights(name).DEFAULT.url
        fit(network, fetch(url), url)
    elif weights is not None:
        fit(network, read(weights), f"weights={weights}")


def fetch(url: str) -> dict[str, Tensor]:
    """The tensors behind an address, kept in torch's own cache from then on.

    Raises:
        ValueError: it cannot be fetched.
    """
    with fetching(url):
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )


def read(path: str) -> dict[str, Tensor]:
    """The tensors in a .pt, .pth or .safetensors file, by name; nothing but tensors is ever built from it.

    Raises:
        ValueError: there is no such file, or it holds something else.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"weights={path}: there is no such file; give null, default or a .pt, .pth or .safetensors")
    try:
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, SafetensorError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"weights={path} is no file of tensors alone: {reason}") from error
    for wrapper in ("state_dict", "model"):
        state = state.get(wrapper, state) if isinstance(state, dict) else {}
    tensors = {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise ValueError(f"weights={path} holds no named tensors: save a model's state_dict()")
    return tensors


def fit(module: nn.Module, state: dict[str, Tensor], source: str, name: Callable[[str], str] = str) -> None:
    """Put the tensors of `state` into the module; those that it has no place for, a classifier's, are named in the log.

    A first convolution over RGB is adapted to the module's channels. `name` maps a key of either side to the name by
    which the two are matched.

    Raises:
        ValueError: a tensor of the module is missing or has another shape; the first of them are named.
    """
    given = {name(key): value for key, value in state.items()}
    wanted = {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}
    missing = [key for key in wanted if name(key) not in given]
    if missing:
        raise ValueError(
            f"{source} lacks {len(missing)} of the backbone's {len(wanted)} tensors ({_first(missing)}); it starts "
            f"with {_first(list(state))}: is it of another architecture?"
        )
    fitted = {key: _adapted(given[name(key)], value) for key, value in wanted.items()}
    misfits = [
        f"{key} is {list(fitted[key].shape)} instead of {list(value.shape)}"
        for key, value in wanted.items()
        if fitted[key].shape != value.shape
    ]
    if misfits:
        raise ValueError(f"{source}: {len(misfits)} tensors have another shape than the backbone's: {_first(misfits)}")
    module.load_state_dict(fitted, strict=False)  # complete, but for the counters of batches
    used = {name(key) for key in module.state_dict()}
    ignored = [key for key in state if name(key) not in used]
    if ignored:
        log.info("%s: %d tensors have no place in the backbone: %s", source, len(ignored), _first(ignored))


def _adapted(value: Tensor, like: Tensor) -> Tensor:
    """A filter over RGB for another number of channels: summed for one, else repeated, with its response kept."""
    shapes_agree = (
        value.ndim == like.ndim == 4 and value.shape[0] == like.shape[0] and value.shape[2:] == like.shape[2:]
    )
    channels = like.shape[1] if like.ndim == 4 else 0
    if not shapes_agree or value.shape[1] != 3 or channels in (0, 3):
        return value
    if channels == 1:
        return value.sum(dim=1, keepdim=True)
    return value[:, torch.arange(channels) % 3] * (3 / channels)


def _first(keys: Sequence[str], count: int = 3) -> str:
    return ", ".join(keys[:count]) + (" ..." if len(keys) > count else "")
