"""A checkpoint, or several together, on a split -> its scores, computed by the same code that training ends with.

python -m src.evaluate ckpt=RUN/checkpoints/best.ckpt split=test output=FILE.json
python -m src.evaluate ckpt=[A.ckpt,B.ckpt] combine=product output=FILE.json
"""

import sys
from typing import Any

from omegaconf import DictConfig

from src.run import cli


def evaluate(config: DictConfig) -> float:
    """Evaluate the checkpoints `config.ckpt`; returns the score."""
    from rich.console import Console

    from src.metric.table import table
    from src.run.build import plain
    from src.run.evaluation import entered, evaluator, scores
    from src.run.folder import claim, write_json

    output = cli.path(config.output) if config.output else None
    if output:
        claim(output.parent)
    paths = [cli.path(path) for path in ([config.ckpt] if isinstance(config.ckpt, str) else config.ckpt)]
    task, data, precision = entered(paths, plain(config))
    data.check(config.split)
    options = {key: config.trainer[key] for key in ("accelerator", "devices", "strategy")} | {"precision": precision}
    folder = output.parent if output else cli.path(".")
    trainer = evaluator(options, folder, config.pictures if output else 0, bar=sys.stdout.isatty())
    found = scores(task, data, config.split, trainer)
    if trainer.is_global_zero:
        Console().print(table(found, task.description))
        if output:
            write_json(output, {**_said(config, len(paths)), "split": config.split, **found})
            print(f"written to {output}")
    return found["score"]


def _said(config: DictConfig, checkpoints: int) -> dict[str, Any]:
    """What the scores are of; `combine` says nothing of one checkpoint."""
    from src.run.build import plain

    said = plain(config)
    rule = {"combine": said["combine"]} if checkpoints > 1 else {}
    looks = {"mirror": said["mirror"], "scales": said["scales"]}
    return {"ckpt": said["ckpt"]} | rule | (looks if looks != {"mirror": False, "scales": [1.0]} else {})


def main() -> None:
    """The command."""
    cli.main("evaluate", evaluate)


if __name__ == "__main__":
    main()
