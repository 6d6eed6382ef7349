"""Hydra's way into a sweep: the config says which kind it is."""

from collections.abc import Sequence
from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from src.run.build import build, plain
from src.run.check import parts
from src.run.sweep.command import Command


class Chosen(Sweeper):
    """Builds what `sweep=` chose (src.run.sweep.grid.Grid unless told otherwise) and lets it sweep.

    Such a class has a method `sweep(command: Command, arguments: Sequence[str])`. Jobs are processes of this machine,
    unless `hydra/launcher=` names a launcher, which then starts those that are left to do.
    """

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Hydra calls this first."""
        own = config.hydra.launcher._target_.endswith(".BasicLauncher")  # Hydra's runs all jobs in this process
        if not own and config.hydra.launcher._target_ not in Plugins.instance().class_name_to_class:
            choice = config.hydra.runtime.choices["hydra/launcher"]
            raise ValueError(f"hydra/launcher={choice}: is not installed: pip install -e .[cluster], or leave it out")
        launcher = None if own else Plugins.instance().instantiate_launcher(hydra_context, task_function, config)
        self.config, self._command = config, Command(hydra_context, task_function, config, launcher)

    def sweep(self, arguments: Sequence[str]) -> Any:
        """Hydra calls this with the overrides."""
        parts({"sweep": plain(self.config.sweep)})
        return build(self.config.sweep).sweep(self._command, arguments)
