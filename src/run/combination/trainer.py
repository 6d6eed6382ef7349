"""How long a run lasts, and on what machine."""

from collections.abc import Iterator
from typing import Any

_NO_CPU = ("16", 16, "16-mixed", "16-true", "transformer-engine", "transformer-engine-float16")


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What `trainer` asks for that cannot be: each problem in one sentence that says what would fit."""
    yield from _starts(config)
    yield from _length(config)
    yield from _machine(config)


def _starts(config: dict[str, Any]) -> Iterator[str]:
    if config["resume"] not in (None, "auto") and config["init"]:
        yield "resume and init together: resume goes on with a run, init begins one from weights; say one of them"


def _length(config: dict[str, Any]) -> Iterator[str]:
    trainer = config["trainer"]
    epochs, steps = trainer.get("max_epochs"), trainer.get("max_steps", -1)
    if epochs in (-1, None) and steps == -1:
        if config["scheduler"]:
            yield (
                "trainer.max_epochs=-1 has no end, and a schedule needs one: say trainer.max_epochs or "
                "trainer.max_steps, beside trainer.max_time if you like"
            )
        return
    every = trainer.get("check_val_every_n_epoch") or 1
    if steps == -1 and every > epochs:
        yield (
            f"trainer.check_val_every_n_epoch={every} with trainer.max_epochs={epochs}: the run would end without an "
            f"evaluation, and without a best checkpoint; say {epochs} or less"
        )


def _machine(config: dict[str, Any]) -> Iterator[str]:
    trainer, data = config["trainer"], config["data"]
    if trainer["accelerator"] == "cpu" and trainer["precision"] in _NO_CPU:
        yield f"trainer.precision={trainer['precision']} needs a GPU: on a cpu take 32-true or bf16-mixed"
    devices = trainer["devices"]
    count = len(devices) if isinstance(devices, list) else devices
    if isinstance(count, int) and count > 1 and data["batch_size"] % count:
        yield (
            f"data.batch_size={data['batch_size']} is the total, and does not divide over trainer.devices={devices}: "
            f"take {max(1, data['batch_size'] // count) * count}"
        )
