"""A workspace in W&B with the panels that matter, or the file of a W&B sweep.

python -m src.dashboard project=PROJECT runs=FOLDER
python -m src.dashboard sweep_file=FILE.yaml -- model=unet,fcn seed=0,1,2
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig

from src.run import cli
from src.run.folder import write


def dashboard(config: DictConfig, words: Sequence[str]) -> None:
    """Save the workspace in W&B, or write it to a file; with `sweep_file` write the sweep's file instead.

    Args:
        config: conf/dashboard.yaml.
        words: of the command line after `--`.

    Raises:
        ValueError: wandb-workspaces is not installed, W&B cannot be reached, or the sweep is none.
    """
    if config.sweep_file:
        _write_sweep(cli.path(config.sweep_file), config, words)
        return
    if words:
        raise ValueError(f"{words[0]}: the overrides after -- are a sweep's; say sweep_file=FILE.yaml as well")
    from src.logger import workspace

    axes, classes = workspace.found(cli.path(config.runs)) if config.runs else (workspace.AXES, ())
    made = workspace.workspace(config.entity or "", config.project, config.name, config.metric, axes, classes)
    if not config.output:
        print(f"saved: {workspace.save(made)}")
        return
    path = cli.path(config.output)
    write(path, workspace.text(made))
    print(f"written to {path}: {len(made.sections)} sections, {sum(len(s.panels) for s in made.sections)} panels")


def _write_sweep(path: Path, config: DictConfig, words: Sequence[str]) -> None:
    from src.run import wandb_sweep

    where = {"project": config.project} | ({"entity": config.entity} if config.entity else {})
    text, jobs = wandb_sweep.text(words, where)
    write(path, text)
    owner = f"{config.entity or 'ENTITY'}/{config.project}"
    print(f"written to {path}: {jobs} jobs")
    print(f"wandb sweep {path}         says the sweep's ID")
    print(f"wandb agent {owner}/ID     runs its jobs, here and on every other machine where it is started")


def main() -> None:
    """The command."""
    words = _split()

    def job(config: DictConfig) -> None:
        dashboard(config, words)

    cli.main("dashboard", job)


def _split() -> list[str]:
    """Take what follows `--` from the command line."""
    if "--" not in sys.argv:
        return []
    place = sys.argv.index("--")
    words = sys.argv[place + 1 :]
    del sys.argv[place:]
    return words


if __name__ == "__main__":
    main()
