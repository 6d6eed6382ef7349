"""A checkpoint on a split -> its scores, computed by the same code that training ends with.

python -m src.evaluate ckpt=RUN/checkpoints/best.ckpt split=test output=FILE.json
"""

import sys
from typing import Any

from omegaconf import DictConfig

from src.run import cli


def evaluate(config: DictConfig) -> float:
    """Evaluate the checkpoint `config.ckpt`; returns the score."""
    from rich.console import Console

    from src.metric.table import table
    from src.run.build import build, plain
    from src.run.device import precision
    from src.run.evaluation import evaluator, scores
    from src.run.folder import claim, write_json
    from src.run.restore import restored

    output = cli.path(config.output) if config.output else None
    if output:
        claim(output.parent)
    task, stored = restored(cli.path(config.ckpt), list(config.allow))
    changes = {key: value for key, value in plain(config.data).items() if value is not None}
    data = build({**stored["data"], **changes}, transform=build(stored["transform"]), fields=task.fields)
    _same(task.description.plain(), data.description.plain())
    data.check(config.split)
    accelerator = config.trainer.accelerator
    wanted = config.trainer.precision or stored["trainer"]["precision"]
    options = {
        "accelerator": accelerator,
        "devices": config.trainer.devices,
        "strategy": config.trainer.strategy,
        "precision": precision(wanted, accelerator),
    }
    folder = output.parent if output else cli.path(".")
    trainer = evaluator(options, folder, config.pictures if output else 0, bar=sys.stdout.isatty())
    found = scores(task, data, config.split, trainer)
    if trainer.is_global_zero:
        Console().print(table(found, task.description))
        if output:
            write_json(output, {"ckpt": str(config.ckpt), "split": config.split, **found})
            print(f"written to {output}")
    return found["score"]


def _same(stored: dict[str, Any], here: dict[str, Any]) -> None:
    """The dataset must be what the checkpoint was made for, wherever it lies now."""
    for fact in ("classes", "channels", "value_range", "multilabel"):
        if stored[fact] != here[fact]:
            raise ValueError(f"the checkpoint was made for {fact} {stored[fact]}, this dataset has {here[fact]}")


def main() -> None:
    """The command."""
    cli.main("evaluate", evaluate)


if __name__ == "__main__":
    main()
