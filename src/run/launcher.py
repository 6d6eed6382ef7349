"""A sweep as a row of plain runs, so that no job inherits another's state, ranks, memory or death."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from src.run.job import Job
from src.run.signals import ENDING, handling

FULL_ERROR = os.environ.get("HYDRA_FULL_ERROR", "0")  # the user's own: read on import, the front door changes it later
OWN = re.compile(  # what says which process of which run this one is: a job must find it out for itself
    r"(LOCAL_|GROUP_|NODE_|ROLE_)?(RANK|WORLD_SIZE)|ROLE_NAME|MASTER_(ADDR|PORT)|TORCHELASTIC_\w+"
    r"|PL_(GLOBAL_SEED|SEED_WORKERS)|WANDB_(RUN_ID|RESUME|SERVICE)"
)
BRACKETS = "[]{}()'\""
SWEEPING = re.compile(r"hydra[./](mode|launcher|sweep|sweeper|run)\b")  # overrides that make a sweep out of a run


class Processes(Launcher):
    """Runs the jobs of `-m` one after another, each as a plain run in its own process, folder and log.

    A job that fails is named at the end with its error, and the others go on; the sweep then ends in a ValueError.
    Ctrl-C (or SIGTERM) reaches the running job, which ends in its own way, and stops the sweep; a second one kills it.

    Args:
        verbose: copy what the jobs print to the terminal; their log.txt has it either way
    """

    def __init__(self, verbose: bool = False) -> None:
        self.verbose = verbose
        self.signals: list[int] = []

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[JobReturn]:
        """One result per job, in order: its score, or the ValueError that says that jobs failed."""
        folder = Path(self.config.hydra.sweep.dir)
        constant = set.intersection(*map(set, job_overrides)) if len(job_overrides) > 1 else set()
        varying = [[o for o in overrides if o not in constant] or list(overrides) for overrides in job_overrides]
        total = initial_job_idx + len(varying)
        names = [" ".join([f"[{n}/{total}]", *words]) for n, words in enumerate(varying, initial_job_idx + 1)]
        print(f"{len(names)} jobs in {folder}" + (f", all with {' '.join(sorted(constant))}" if constant else ""))
        jobs: list[Job] = []
        with handling(lambda number, frame: self.signals.append(number), (*ENDING, signal.SIGHUP)):
            for index, name in enumerate(names):
                if self.signals:
                    break
                print(name, "...", end="\n" if self.verbose else " ", flush=True)
                jobs.append(self._job(initial_job_idx + index, job_overrides[index], varying[index]))
                jobs[-1].run(_environment(folder.name), self.signals, self.verbose)
                print(_line(jobs[-1]), flush=True)
        _summary(names, jobs, folder)
        if self.signals:
            sys.exit(128 + self.signals[0])
        return _returned(jobs, job_overrides)

    def _job(self, index: int, overrides: Sequence[str], varying: list[str]) -> Job:
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = str(index)
            config.hydra.job.num = index
            config.hydra.job.override_dirname = _readable(varying)
        folder = Path(config.hydra.sweep.dir) / str(OmegaConf.select(config, "hydra.sweep.subdir")).strip("_")
        where = QuotedString(str(folder), Quote.single).with_quotes()
        passed = [o for o in self.config.hydra.overrides.hydra if not SWEEPING.match(o.lstrip("+~"))]
        own = [*overrides, *passed, "hydra.mode=RUN", f"hydra.run.dir={where}"]
        return Job([*_program(self.task_function), *_flags(self.config), *own], folder)


def _environment(group: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not OWN.fullmatch(key)}
    return {"DENSE_GROUP": group, "PYTHONUNBUFFERED": "1", **kept, "HYDRA_FULL_ERROR": FULL_ERROR}


def _readable(overrides: list[str]) -> str:
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


def _line(job: Job) -> str:
    if job.trouble:
        return f"{job.trouble}, {job.seconds:.0f} s"
    score = "no score" if job.score is None else f"score {job.score:.4f}"
    return f"{score}, {job.seconds:.0f} s"


def _summary(names: list[str], jobs: list[Job], folder: Path) -> None:
    bad = [(name, job) for name, job in zip(names, jobs, strict=False) if job.trouble]
    missing = names[len(jobs) :]
    finished = len(jobs) - len(bad)
    print(f"\n{finished} of {len(names)} jobs finished" + (", these did not:" if finished < len(names) else ""))
    for name, job in bad:
        print(f"  {name}\n    {job.trouble}\n    {job.log}")
    for name in missing:
        print(f"  {name}\n    not started")
    runs, output = (shlex.quote(str(path)) for path in (folder, folder / "report"))
    print(f"sweep:  {folder}\nreport: python -m src.report runs={runs} output={output}", flush=True)


def _returned(jobs: list[Job], job_overrides: Sequence[Sequence[str]]) -> list[JobReturn]:
    failed = sum(job.trouble is not None for job in jobs)
    error = ValueError(f"{failed} of {len(jobs)} jobs failed: they are listed above")
    states = {True: JobStatus.FAILED, False: JobStatus.COMPLETED}
    return [
        JobReturn(
            list(overrides),
            working_dir=str(job.folder),
            status=states[bool(job.trouble)],
            _return_value=error if job.trouble else job.score,
        )
        for job, overrides in zip(jobs, job_overrides, strict=True)
    ]
