"""Jobs of a sweep on a cluster, through Hydra's launcher for submitit."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from hydra_plugins.hydra_submitit_launcher.config import BaseQueueConf, LocalQueueConf, SlurmQueueConf
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.run.nearest import did_you_mean
from src.run.sweep.command import Command

_SCHEMAS = {"slurm": SlurmQueueConf, "local": LocalQueueConf}
_OURS = ("_target_", "submitit_folder")  # which we say
_PULSE = 1.0  # seconds between two looks at the jobs


class Submitit(Launcher):
    """The keys are those of hydra-submitit-launcher; each job is a plain run in a process, folder and log of its own.

    Hydra's class runs jobs in submitit's own process, where a strategy with several processes would start submitit
    again, and stops waiting at the first job that fails.
    """

    def __init__(self, executor: Literal["slurm", "local"], **options: Any) -> None:
        """Prepare.

        Args:
            executor: where the jobs run; local: in processes of this machine, all at the same time, to try it out.
            options: of a job, as Hydra's launcher has them.

        Raises:
            ValueError: there is no Slurm here, or an option is none of its, or of the wrong type.
        """
        if executor == "slurm" and not shutil.which("srun"):
            raise ValueError(
                "hydra/launcher=submitit_slurm: there is no srun on this machine; start the sweep where jobs are "
                "submitted, or leave the launcher out to run the jobs here"
            )
        self._executor = executor
        self._options = {key: value for key, value in _checked(executor, options).items() if value is not None}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Hydra calls this first."""
        self._context, self._function, self._config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Submit a job for each of the lists of overrides, and wait until all have ended, however they do.

        Ctrl-C cancels them. What became of each is in its folder.
        """
        from src.run.cluster.submission import Submission

        sweep = Path(self._config.hydra.sweep.dir)
        command = Command(self._context, self._function, self._config)
        runs = [_run(command, overrides) for overrides in job_overrides]
        given = command.environment()
        more = {name: given[name] for name in ("DENSE_GROUP", "HYDRA_FULL_ERROR", "PYTHONUNBUFFERED")}
        jobs = self._cluster(sweep).map_array(Submission(), *zip(*runs, strict=True), [more] * len(runs))
        print(f"{len(jobs)} jobs submitted ({self._executor}: {jobs[0].job_id} ...); their logs: {sweep}/*/log.txt")
        print("Ctrl-C cancels them. If this command is lost they go on", flush=True)
        try:
            _wait(jobs, [Path(folder).name for _, folder in runs])
        except BaseException:
            for job in jobs:
                job.cancel(check=False)
            raise
        return []

    def _cluster(self, sweep: Path) -> Any:
        import submitit

        shared = {field.name for field in fields(BaseQueueConf)}
        named = {key if key in shared else f"slurm_{key}": value for key, value in self._options.items()}
        requeues = {key: named.pop(key) for key in ("slurm_max_num_timeout",) if key in named}
        executor = submitit.AutoExecutor(sweep / ".submitit" / "%j", cluster=self._executor, **requeues)
        executor.update_parameters(**named)
        return executor


def _checked(executor: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options with those that were not said, held against Hydra's schema."""
    schema = OmegaConf.structured(_SCHEMAS[executor])
    for key, value in options.items():
        if key not in schema:
            raise ValueError(f"hydra.launcher.{key}: no such option{did_you_mean(key, schema)}")
        try:
            schema[key] = value
        except OmegaConfBaseException as error:
            kind = schema._get_node(key)._metadata.ref_type.__name__
            raise ValueError(f"hydra.launcher.{key}={value}: expected {kind}") from error
    return {key: value for key, value in OmegaConf.to_container(schema, resolve=False).items() if key not in _OURS}


def _run(command: Command, overrides: Sequence[str]) -> tuple[list[str], str]:
    """A job's command and folder, of overrides that name the folder."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    folder = next(override.value() for override in parsed if override.key_or_group == "hydra.run.dir")
    own = [override.input_line for override in parsed if not override.key_or_group.startswith("hydra.")]
    return command.job(own, Path(str(folder)), "").command, str(folder)


def _wait(jobs: Sequence[Any], names: Sequence[str]) -> None:
    left = dict(zip(names, jobs, strict=True))
    while left:
        for name in [name for name, job in left.items() if job.done()]:
            del left[name]
            print(f"{name} ended; {len(left)} to go", flush=True)
        time.sleep(_PULSE if left else 0)
