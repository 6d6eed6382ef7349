"""Compose -> data, task, trainer -> fit, then the best checkpoint on val and test; returns the score.

python -m src.train model=unet loss=dice
"""

import atexit
import signal
import sys
import time

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from src.run import cli, resume
from src.run.build import plain
from src.run.check import check
from src.run.cluster import start
from src.run.cluster.requeue import requeued
from src.run.folder import claim
from src.run.lock import locked
from src.run.signals import REQUEUE, leave, taken
from src.run.sweep.webhook import refuse


def train(config: DictConfig) -> float | None:
    """One run in Hydra's run folder; the best val/score."""
    hydra = HydraConfig.get()
    folder = cli.path(hydra.run.dir)
    checkpoints = resume.named(config.resume, folder)
    initial = cli.path(config.init) if config.init and not checkpoints else None
    claim(folder)
    settings = plain(config)
    check(settings)
    start.check(settings["trainer"].get("num_nodes", 1))
    identity = resume.identity(settings)
    with locked(folder):
        from src.run import result
        from src.run.device import resolved
        from src.run.loggers import Loggers
        from src.run.session import Session

        settings["trainer"] = resolved(settings["trainer"])
        axes = result.axes(dict(hydra.runtime.choices), list(hydra.overrides.task))
        facts = result.opening(settings, axes, identity)
        began = time.monotonic()
        with Loggers(settings["logger"], folder, facts, settings) as loggers:
            with result.kept(folder, facts):
                session = Session(settings, folder, initial, resume.usable(checkpoints), loggers)
                facts |= session.fit()
                if facts["status"] == "finished":
                    facts |= session.scores()
                facts["seconds"] = round(time.monotonic() - began, 1)
            if session.trainer.is_global_zero:
                session.report(facts)
    if session.interrupted:
        if session.trainer.is_global_zero:
            again = "" if session.interrupted in REQUEUE else "; the same command with resume=auto goes on"
            print(f"stopped by {signal.Signals(session.interrupted).name}{again}")
        sys.exit(128 + session.interrupted)
    return facts["score"]


def main() -> None:
    """The command. SIGINT and SIGTERM end it with the exit code that shells know, whenever they come."""
    taken(leave)
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)  # Python's own end would be killed by a second one
    refuse(sys.argv[1:])
    start.refuse(sys.argv[1:])
    sys.argv[1:] = resume.located(sys.argv[1:])
    with requeued():
        cli.main("train", train)


if __name__ == "__main__":
    main()
