"""The command that was given `-m`: what it would be without, for any combination of values."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from src.run import cli, resume
from src.run.build import plain
from src.run.check import check
from src.run.folder import claim
from src.run.sweep.job import Job

FULL_ERROR = os.environ.get("HYDRA_FULL_ERROR", "0")  # the user's own: read on import, the front door changes it later
OWN = re.compile(  # what says which process of which run this one is: a job must find it out for itself
    r"(LOCAL_|GROUP_|NODE_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)|TORCHELASTIC_\w+"
    r"|SLURM_\w+|PL_(GLOBAL_SEED|SEED_WORKERS)|WANDB_(RUN_ID|RESUME|SERVICE)|DENSE_WEBHOOK"
)
BRACKETS = "[]{}()'\""
SWEEPING = re.compile(r"hydra[./](mode|launcher|sweep|sweeper|run)\b")  # overrides that make a sweep out of a run


class Command:
    """What makes settings, folders and jobs out of overrides."""

    def __init__(
        self, context: HydraContext, task_function: TaskFunction, config: DictConfig, launcher: Launcher | None = None
    ) -> None:
        """Keep what Hydra gives to a sweeper.

        Args:
            config: composed from what all jobs share.
            launcher: runs the jobs elsewhere (on a cluster); None: they are processes of this machine.
        """
        self.config, self.context, self.launcher, self._function = config, context, launcher, task_function
        self.folder = Path(config.hydra.sweep.dir)
        self.given = any(word.startswith("hydra.sweep.dir=") for word in config.hydra.overrides.hydra)

    def settled(self, folder: Path) -> None:
        """Let the sweep be in `folder`, where Hydra's own record of it is written.

        Raises:
            ValueError: nothing can be written there.
        """
        self.folder = folder
        with open_dict(self.config):
            self.config.hydra.sweep.dir = str(folder)
        claim(folder)
        OmegaConf.save(self.config, folder / "multirun.yaml")

    def settings(self, number: int, overrides: Sequence[str], varying: Sequence[str]) -> tuple[dict[str, Any], str]:
        """A job's config as plain containers, and the name of its folder.

        Args:
            number: of the job, from 0.
            overrides: all of it.
            varying: those of them that tell it from other jobs.

        Raises:
            ValueError: it would be refused before it read any data, with the reason that it would give.
        """
        name = getattr(self._function, "command", self.config.hydra.job.config_name)
        try:
            config = self.context.config_loader.load_sweep_config(self.config, list(overrides))
            with open_dict(config):
                config.hydra.job.id, config.hydra.job.num = str(number), number
                config.hydra.job.override_dirname = _readable(varying)
                subfolder = str(OmegaConf.select(config, "hydra.sweep.subdir")).strip("_")
                del config["hydra"]
            settings = plain(config)
        except (HydraException, OmegaConfBaseException) as error:
            raise ValueError(cli.explained(error, name, list(overrides))) from error
        check(settings, name)
        if settings.get("resume") not in (None, "auto"):
            resume.named(settings["resume"], Path(subfolder))
        return settings, subfolder

    def job(self, overrides: Sequence[str], folder: Path, name: str) -> Job:
        """A plain run in a process of its own.

        Args:
            overrides: all of it.
            folder: of the run.
            name: to call it by.
        """
        passed = [word for word in self.config.hydra.overrides.hydra if not SWEEPING.match(word.lstrip("+~"))]
        own = [*overrides, *passed, "hydra.mode=RUN", f"hydra.run.dir={quoted(str(folder))}"]
        return Job([*self.program(), *own], folder, name)

    def program(self) -> list[str]:
        """What stands before the overrides of such a run."""
        return [*_program(self._function), *_flags(self.config)]

    def said(self) -> list[str]:
        """The same as a person would type it."""
        own = getattr(self._function, "command", None) == self.config.hydra.job.config_name
        return ["python", *_program(self._function)[1:], *_flags(self.config)[2 if own else 0 :]]

    def environment(self) -> dict[str, str]:
        """Of the jobs: without what tells ranks apart, and with what groups their runs in W&B."""
        kept = {key: value for key, value in os.environ.items() if not OWN.fullmatch(key)}
        return {"DENSE_GROUP": self.folder.name, "PYTHONUNBUFFERED": "1", **kept, "HYDRA_FULL_ERROR": FULL_ERROR}


def quoted(text: str) -> str:
    """As a value that Hydra reads as it is."""
    return QuotedString(text, Quote.single).with_quotes()


def _readable(overrides: Sequence[str]) -> str:
    """`model/backbone=resnet50 seed=0` -> `backbone-resnet50_seed-0`: a folder's name that no shell has to quote."""
    words = [override.lstrip("+~").partition("=") for override in overrides]
    text = "_".join(f"{key.rpartition('/')[2]}-{value.strip(BRACKETS)}" for key, _, value in words)
    return re.sub(r"[^\w.+-]+", "-", text)[:100].strip("-.")


def _program(task_function: TaskFunction) -> list[str]:
    """How this very command is started: as a module, as a console script's module, or as a file."""
    module = task_function.__module__
    if module != "__main__":  # a console script: the folder it was called in may hold a `src` of its own
        return [sys.executable, "-P", "-m", module]
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return [sys.executable, "-m", main.__spec__.name]
    return [sys.executable, str(Path(main.__file__).absolute())]


def _flags(config: DictConfig) -> list[str]:
    extra = [source.path for source in config.hydra.runtime.config_sources if source.provider == "command-line"]
    return ["--config-name", config.hydra.job.config_name, *(word for path in extra for word in ("--config-dir", path))]
