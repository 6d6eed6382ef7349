"""How long a run lasts, and on what machine."""

from collections.abc import Iterator
from typing import Any

_SHARDED = "src.run.cluster.sharded.Sharded"
_FUSED = ("torch.optim.Adam", "torch.optim.AdamW")  # whose kernels know of divided weights
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
    count, said = _processes(trainer)
    if count and count > 1 and data["batch_size"] % count:
        yield (
            f"data.batch_size={data['batch_size']} is the total, and does not divide over {said}: "
            f"take {max(1, data['batch_size'] // count) * count}"
        )
    if isinstance(trainer["strategy"], dict) and trainer["strategy"].get("_target_") == _SHARDED:
        yield from _sharding(config, count)


def _processes(trainer: dict[str, Any]) -> tuple[int | None, str]:
    """How many there will be, None where that is the machine's to say, and the words that say so."""
    devices, nodes = trainer["devices"], trainer.get("num_nodes", 1)
    each = len(devices) if isinstance(devices, list) else devices
    said = f"trainer.devices={devices}" + (f" on trainer.num_nodes={nodes}" if nodes > 1 else "")
    if each == "auto" and trainer["accelerator"] == "cpu":  # Lightning's auto is one there
        return nodes, said
    return (each * nodes if isinstance(each, int) and each > 0 else None), said


def _sharding(config: dict[str, Any], count: int | None) -> Iterator[str]:
    """What a model that is divided over processes cannot do."""
    if count == 1:
        yield (
            "trainer=fsdp divides a model over processes, and there is one: say trainer.devices=2 or more, or "
            "trainer=default"
        )
    if any("WeightAveraging" in part.get("_target_", "") for part in (config["callback"] or {}).values()):
        yield "trainer=fsdp with callback.ema: the average is a whole second model; take trainer=ddp, or leave it out"
    if config["optimizer"].get("fused") and config["optimizer"]["_target_"] not in _FUSED:
        yield (
            f"trainer=fsdp: the fused kernel of {config['optimizer']['_target_'].rpartition('.')[2]} takes no divided "
            "weights; say optimizer.fused=false"
        )
    if config["trainer"]["precision"] in _NO_CPU:
        yield f"trainer.precision={config['trainer']['precision']} with trainer=fsdp: take bf16-mixed or 32-true"
