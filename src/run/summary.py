"""What is about to run, in a table, before the first step."""

import torch
from rich.console import Console
from rich.table import Table

from src.data.datamodule import DataModule
from src.run.count import operations
from src.task.task import Task


def flops(task: Task, size: tuple[int, int]) -> int:
    """Operations of one image's forward pass."""
    channels = getattr(task, "in_channels", task.description.channels)  # colorization sees lightness alone
    return operations(task.model, torch.zeros(1, channels, *size, device=task.device))


def show(facts: dict[str, object], data: DataModule, splits: list[str]) -> None:
    """Print the run's facts, then the splits."""
    table = Table(show_header=False, box=None, padding=(0, 2))
    for name, value in facts.items():
        table.add_row(name, str(value))
    description = data.description
    seen = "as they are" if data.size is None else f"{data.size[0]}×{data.size[1]}"
    counts = ", ".join(f"{len(data.split(split))} {split}" for split in splits)
    table.add_row("images", f"{counts}; the network sees {description.channels} channels, {seen}")
    table.add_row("classes", f"{description.num_classes}: {', '.join(description.classes)}")
    Console(soft_wrap=True).print(table)
