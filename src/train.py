"""Compose -> data, task, trainer -> fit, then the best checkpoint on val and test; returns the score.

python -m src.train model=unet loss=dice
"""

import sys
import time
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from src.run import cli
from src.run.build import plain
from src.run.folder import claim


def train(config: DictConfig) -> float | None:
    """One run in Hydra's run folder; the best val/score."""
    hydra = HydraConfig.get()
    folder = cli.path(hydra.run.dir)
    checkpoint = _resumed(config.resume, folder)
    initial = cli.path(config.init) if config.init else None
    claim(folder)

    from src.run import result
    from src.run.check import check
    from src.run.device import resolved
    from src.run.session import Session

    settings = plain(config)
    settings["trainer"] = resolved(settings["trainer"])
    check(settings)
    facts = result.opening(settings, result.axes(dict(hydra.runtime.choices), list(hydra.overrides.task)))
    began = time.monotonic()
    with result.kept(folder, facts):
        session = Session(settings, folder, initial)
        facts |= session.fit(checkpoint)
        if facts["status"] == "finished":
            facts |= session.scores()
        facts["seconds"] = round(time.monotonic() - began, 1)
    if session.trainer.is_global_zero:
        session.report(facts)
    if session.interrupted:
        sys.exit(128 + session.interrupted)
    return facts["score"]


def _resumed(wanted: str | None, folder: Path) -> Path | None:
    """The checkpoint to go on from; said when there is none, refused when the named one is not there."""
    if wanted is None:
        return None
    if wanted != "auto":
        path = cli.path(wanted)
        if not path.is_file():
            raise ValueError(f"resume={wanted}: there is no such checkpoint")
        return path
    path = folder / "checkpoints" / "last.ckpt"
    if not path.is_file():
        print(f"resume=auto: {path} is not there; starting a new run")
        return None
    print(f"resume=auto: going on from {path}")
    return path


def main() -> None:
    """The command."""
    cli.main("train", train)


if __name__ == "__main__":
    main()
