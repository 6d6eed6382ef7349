"""Images per second of a model, alone with the device: no data, no logging."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from src.run.device import precision

_PATIENCE = 10  # seconds after which a slow model is not asked again


def device(wanted: str) -> torch.device:
    """`auto` as the GPU where there is one, else the CPU.

    Raises:
        ValueError: there is no such device here.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device={wanted}: is not to be had here ({reason}); take auto or cpu") from error


def speed(model: nn.Module, image: Tensor, num_classes: int, wanted: str, repeat: int) -> dict[str, float]:
    """Images per second: medians of `repeat` calls after one that warms up, of fewer where ten seconds are over.

    Args:
        model: on the image's device.
        image: [b c h w] in [0, 1].
        num_classes: of the model's answer.
        wanted: precision, as of the trainer; `auto` is bf16-mixed where that is fast.
        repeat: how many calls.

    Returns:
        inference: the forward pass in evaluation; training: forward, cross entropy, backward and a step of AdamW.
    """
    model.to(memory_format=torch.channels_last)
    image = image.contiguous(memory_format=torch.channels_last)
    target = torch.randint(num_classes, (len(image), *image.shape[-2:]), device=image.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def infer() -> None:
        with torch.no_grad(), _cast(image.device, wanted):
            model(image)

    def train() -> None:
        optimizer.zero_grad(set_to_none=True)
        with _cast(image.device, wanted):
            loss = F.cross_entropy(model(image).float(), target)
        loss.backward()
        optimizer.step()

    model.eval()
    inference = _seconds(infer, image.device, repeat)
    model.train()
    training = _seconds(train, image.device, repeat)
    return {"inference": len(image) / inference, "training": len(image) / training}


def _cast(place: torch.device, wanted: str) -> AbstractContextManager[object]:
    mixed = precision(wanted, place.type) == "bf16-mixed"
    return torch.autocast(place.type, torch.bfloat16, enabled=mixed)


def _seconds(call: Callable[[], None], place: torch.device, repeat: int) -> float:
    began, found = time.perf_counter(), []
    while len(found) <= repeat and (len(found) < 2 or time.perf_counter() - began < _PATIENCE):
        start = time.perf_counter()
        call()
        if place.type == "cuda":
            torch.cuda.synchronize(place)
        found.append(time.perf_counter() - start)
    return statistics.median(found[1:])
