"""What a model costs: parameters, operations, receptive field, memory, and, measured, images per second.

python -m src.profile model=fcn8s num_classes=21 size=[500,500]
"""

import json
import sys
import typing
from pathlib import Path
from typing import Any

from src.run import cli
from src.run.build import plain

if typing.TYPE_CHECKING:  # brings torch along, which --help and a misspelt key need not wait for
    from omegaconf import DictConfig


def profile(config: "DictConfig") -> None:
    """Print what `config.model` costs as JSON, or the table of all models, and write it where `output` says."""
    from hydra.core.hydra_config import HydraConfig

    from src.run.folder import claim, write
    from src.run.quiet import quiet

    quiet()
    settings = plain(config)
    output = cli.path(settings["output"]) if settings["output"] else None
    if output:
        _suits(output, settings["table"])
        claim(output.parent)
    if settings["table"]:
        text = _page(settings, list(HydraConfig.get().overrides.task))
    else:
        name = HydraConfig.get().runtime.choices["model"]
        text = json.dumps({"model": name, **profiled(settings)}, indent=1)
    print(text)
    if output:
        write(output, f"{text}\n")


def profiled(settings: dict[str, Any]) -> dict[str, Any]:
    """Everything by name, in the order of printing.

    Args:
        settings: the composed config as plain containers.

    Returns:
        num_classes, channels, size: as asked for; params: those that are trained; flops: operations per image, of which
        a multiply-add is two; receptive_field: [rows, columns] of pixels, "whole image", or None if it was not wanted;
        reductions: image size by feature size, None for a model without a backbone; memory_mb, of models of maps: MiB
        of tensors at the highest point of inference and of training on a batch of batch_size. With `measure`:
        images_per_second of both, and what they hold for.

    Raises:
        ValueError: the model cannot be built or measured so; the message says what would do.
    """
    from src.run.profile.cost import cost, cost_of_detector, finds_objects, memory

    names = ("num_classes", "channels", "size")
    asked = {name: settings[name] for name in names}
    if finds_objects(settings["model"]):
        if settings["measure"]:
            raise ValueError("measure=true is for models of maps: python -m src.benchmark part=detector measures these")
        return asked | cost_of_detector(settings["model"], **asked)
    found = asked | cost(settings["model"], **asked, reach=settings["receptive_field"])
    batch = settings["batch_size"]
    held = memory(settings["model"], **asked, batch_size=batch)
    found |= {"batch_size": batch, "memory_mb": {name: round(value, 1) for name, value in held.items()}}
    return found | _measured(settings) if settings["measure"] else found


def _measured(settings: dict[str, Any]) -> dict[str, Any]:
    import torch

    from src.run.device import precision
    from src.run.profile.cost import built
    from src.run.profile.speed import device, speed

    classes, channels, batch = (settings[name] for name in ("num_classes", "channels", "batch_size"))
    place = device(settings["device"])
    model = built(settings["model"], classes, channels, str(place))
    image = torch.rand(batch, channels, *settings["size"], device=place)
    rates = speed(model, image, classes, settings["precision"], settings["repeat"])
    return {
        "images_per_second": {name: float(f"{value:.3g}") for name, value in rates.items()},
        "device": str(place),
        "threads": torch.get_num_threads(),
        "precision": precision(settings["precision"], place.type),
    }


def _page(settings: dict[str, Any], words: list[str]) -> str:
    from src.run.count import trainable
    from src.run.profile.cost import built, finds_objects
    from src.run.profile.published import published
    from src.run.profile.table import page

    names = cli.options_of("model")
    models = {name: plain(cli.compose("profile", [f"model={name}"]))["model"] for name in names}
    counts = [
        (known, trainable(built(models[known.model], known.num_classes, known.channels))) for known in published()
    ]
    rows = {}
    for name, model in models.items():
        if finds_objects(model):
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows[name] = profiled(settings | {"model": model})
    return page(rows, counts, " ".join(["python -m src.profile", *words]))


def _suits(output: Path, table: bool) -> None:
    wanted = ".md" if table else ".json"
    if output.suffix != wanted:
        raise ValueError(f"output={output}: what is written is {wanted[1:]}; say {output.with_suffix(wanted)}")


def main() -> None:
    """The command."""
    cli.main("profile", profile)


if __name__ == "__main__":
    main()
