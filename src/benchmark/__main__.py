"""Our cost beside the peers', in one run: a table, and JSON with every round.

python -m src.benchmark part=metric rounds=5 output=benchmark.json
"""

import sys
from importlib import import_module
from typing import Any

from omegaconf import DictConfig

from src.run import cli
from src.run.build import plain
from src.run.folder import claim, write_json
from src.run.nearest import did_you_mean

PARTS = ("step", "detector", "input", "metric", "detection", "loss", "window", "startup", "sweep")  # of part=all
NAMED = ("learning",)  # takes hours
SMOKE: dict[str, dict[str, Any]] = {
    "step": {
        "blocks": 1,
        "tiny_steps": 2,
        "unet_steps": 1,
        "unet_batch": 2,
        "unet_size": [32, 32],
        "memory_size": [32, 32],
        "memory_batch": 2,
        "memory_samples": 1,
        "probes": 1,
    },
    "input": {"size": [45, 60], "samples": 8},
    "metric": {"batch": 1, "size": [32, 32]},
    "detection": {"images": 10},
    "detector": {"side": 64, "batch": 1},
    "loss": {"batch": 1, "size": [32, 32]},
    "window": {"sizes": [[8, 12]]},
    "startup": {"only": ["--help"]},
    "sweep": {"jobs": 2, "runs": 2, "epochs": 1, "samples": 4, "size": [32, 32]},
}


def benchmark(config: DictConfig) -> None:
    """The command's work."""
    settings = plain(config)
    parts = chosen(settings["part"])
    if settings["rounds"] < 1 or settings["threads"] < 1:
        raise ValueError(f"rounds={settings['rounds']} threads={settings['threads']}: at least 1 of each")
    output = cli.path(settings["output"])
    claim(output.parent)
    if settings["smoke"]:
        settings |= {"rounds": 1} | {part: settings[part] | sizes for part, sizes in SMOKE.items()}

    import torch
    from rich.console import Console

    from src.benchmark.machine import machine
    from src.benchmark.table import table

    torch.set_num_threads(settings["threads"])
    rows = []
    for part in parts:
        print(f"{part} ...", flush=True)
        rows += import_module(f"src.benchmark.{part}").run(settings)
        facts = {"machine": machine(settings["threads"]), "settings": settings}
        write_json(output, facts | {"rows": [row.plain() for row in rows]})  # what is done is kept
    Console(width=None if sys.stdout.isatty() else 220).print(table(rows))
    print(f"written to {output}")


def chosen(part: str) -> tuple[str, ...]:
    """The parts that `part=` names.

    Raises:
        ValueError: there is no such part.
    """
    if part == "all":
        return PARTS
    known = (*PARTS, *NAMED)
    if part not in known:
        raise ValueError(f"part={part}: no such part{did_you_mean(part, known)} There are: all, {', '.join(known)}")
    return (part,)


def main() -> None:
    """The command."""
    cli.main("benchmark", benchmark)


if __name__ == "__main__":
    main()
