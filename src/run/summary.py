"""What is about to run, in a table, before the first step."""

from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from src.data.datamodule import DataModule
from src.task.task import Task


def flops(task: Task, size: tuple[int, int]) -> int:
    """Floating point operations of one image's forward pass; a multiply-add counts two."""
    import torch

    return operations(task.model, torch.zeros(1, task.description.channels, *size, device=task.device))


def operations(model: nn.Module, image: Tensor) -> int:
    """The same for a model alone.

    Args:
        model: on the image's device, which may be meta.
        image: [b c h w].
    """
    import torch

    training = model.training
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model.eval()(image)
    model.train(training)
    return counter.get_total_flops()


def parameters(model: nn.Module) -> int:
    """All of the model's parameters, trained or not."""
    return sum(parameter.numel() for parameter in model.parameters())


def trainable(model: nn.Module) -> int:
    """Those that are trained; fixed kernels are buffers, and no parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


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
