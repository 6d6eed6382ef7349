"""The overrides of a sweep as a file that `wandb sweep` takes as it is."""

import itertools
from collections.abc import Sequence
from typing import Any

import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from src.run import cli
from src.run.build import plain
from src.run.check import check
from src.run.secret import refuse

# An agent puts `key=value` in the place of the last word. It writes a list with a space and None as "None", hence only
# plain values are swept.
_COMMAND = ["${env}", "python", "-m", "src.train"]
_MOST = 64  # combinations that are checked one by one


def text(words: Sequence[str], where: dict[str, str]) -> tuple[str, int]:
    """The file, and how many jobs its grid has.

    Args:
        words: overrides as `python -m src.train -m` takes them; those with several values are swept.
        where: project and entity.

    Raises:
        ValueError: none has several values, one is no plain value, or a job could not be run.
    """
    refuse(words)
    overrides = _parsed(words)
    swept = {o.get_key_element(): _values(o) for o in overrides if o.is_sweep_override()}
    if not swept:
        raise ValueError("sweep_file: no override after -- has several values, such as model=unet,fcn seed=0,1,2")
    fixed = [o.input_line for o in overrides if not o.is_sweep_override()]
    if not any(word.startswith("logger=") for word in [*fixed, *swept]):
        fixed.append("logger=wandb")
    jobs = list(itertools.product(*swept.values()))
    for job in jobs[:_MOST]:
        own = [f"{key}={_said(value)}" for key, value in zip(swept, job, strict=True)]
        _check([*fixed, *own])
    content = {
        "method": "grid",
        "metric": {"name": "val/score", "goal": "maximize"},
        **where,
        "command": [*_COMMAND, *fixed, "${args_no_hyphens}"],
        "parameters": {key: {"values": values} for key, values in swept.items()},
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000), len(jobs)


def _parsed(words: Sequence[str]) -> list[Override]:
    try:
        return OverridesParser.create().parse_overrides(list(words))
    except HydraException as error:
        raise ValueError(f"sweep_file: {' '.join(str(error).split())}") from error


def _values(override: Override) -> list[Any]:
    try:
        values = list(override.sweep_iterator(transformer=lambda value: value))
    except HydraException as error:
        raise ValueError(f"{override.input_line}: say the values one by one, or as range(0,3)") from error
    for value in values:
        if isinstance(value, list | dict) or value is None:
            raise ValueError(
                f"{override.get_key_element()}: a W&B agent passes on plain values alone, and {value} is none. Sweep "
                "it with python -m src.train -m, or give it one value here"
            )
    return [value if isinstance(value, bool | int | float) else str(value) for value in values]


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(words: list[str]) -> None:
    try:
        check(plain(cli.compose("train", words)))
    except Exception as error:
        told = error if isinstance(error, ValueError) else cli.explained(error, "train", words)
        raise ValueError(f"{' '.join(words)}: {told}") from error
