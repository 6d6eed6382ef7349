"""Runs -> one line per configuration, with mean, spread and n over seeds: as text, CSV and one HTML page.

python -m src.report runs=FOLDER output=FOLDER
python -m src.report runs=FOLDER output=FOLDER axes=[model/upsample] columns=[miou,seconds,params]
python -m src.report runs=FOLDER output=FOLDER watch=true
python -m src.report experiments=skips
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console

from src.leaderboard import text
from src.leaderboard.agreement import agreement
from src.leaderboard.board import Board
from src.leaderboard.course import course
from src.leaderboard.experiment import FOLDER, Experiment, experiment
from src.leaderboard.report import report
from src.leaderboard.watch import watch
from src.run import cli
from src.run.build import plain
from src.run.check import check
from src.run.folder import claim, write

WIDE = 1000  # columns of a table that goes into a file or a pipe, where nothing has to be folded


def job(config: DictConfig) -> None:
    """The command's work."""
    said = [word for word in HydraConfig.get().overrides.task if not word.startswith("experiment=")]
    if config.experiment == "all":
        _course(cli.path(config.output) if _says(said, "output") else FOLDER)
    elif config.experiment is not None:
        if config.watch:
            raise ValueError("watch=true: an experiment's table is made once; say runs=FOLDER to watch a folder")
        for name, own in tables(experiment(str(config.experiment)), said):
            _told(own)
            for line in agreement(FOLDER / f"{name}.csv", cli.path(own.output) / "study.csv"):
                print(f"  {line}")
    elif config.watch:
        runs, output = cli.path(config.runs), cli.path(config.output)
        print(f"watching {runs}; Ctrl-C ends it, until then the page reloads itself: {output / 'index.html'}")
        watch(runs, config.every, lambda going: _made(config, config.every if going else None))
        print(f"\nended; the page stays as it is: {output / 'index.html'}")
    else:
        _told(config)


def tables(claimed: Experiment, said: Sequence[str]) -> Iterator[tuple[str, DictConfig]]:
    """The config of each report in the header of an experiment, with the name of its table in `experiments/`.

    Args:
        claimed: the experiment.
        said: the user's own words, which come after those of the header. Where it has several tables, `runs` and
            `output` hold a folder for each, named as in the header.

    Raises:
        ValueError: the header has no report, or the runs are not there: then with the commands that make them.
    """
    if not claimed.reports:
        raise ValueError(f"experiments={claimed.name}: its header has no command of src.report, so it has no table")
    for number, words in enumerate(claimed.reports):
        config, folder = cli.compose("report", [*words, *said]), Path(cli.compose("report", words).runs).name
        for key in ("runs", "output"):
            if len(claimed.reports) > 1 and _says(said, key):
                config[key] = str(Path(config[key]) / folder)
        check(plain(config), "report")
        if not cli.path(config.runs).is_dir():
            need = "\n  ".join(claimed.trainings)
            raise ValueError(
                f"runs={config.runs}: there is no such folder; give runs=FOLDER, or make them with\n  {need}"
            )
        yield folder if number else claimed.name, config


def main() -> None:
    """The command."""
    # Hydra would take `experiments=` for the config group of src.train
    sys.argv[1:] = [f"experiment={word[12:]}" if word.startswith("experiments=") else word for word in sys.argv[1:]]
    cli.main("report", job)


def _says(words: Sequence[str], key: str) -> bool:
    return any(word.startswith(f"{key}=") for word in words)


def _made(config: DictConfig, refresh: int | None = None) -> Board:
    arms = (list(config.axes), list(config.columns), config.images)
    return report(cli.path(config.runs), cli.path(config.output), config.metric, config.ascending, *arms, refresh)


def _told(config: DictConfig) -> None:
    ranked = _made(config)
    Console(width=None if sys.stdout.isatty() else WIDE).print(text.table(ranked))
    studied = ", study.md, study.csv, study.png, predictions.png" if config.axes else ""
    print(f"\nwritten to {cli.path(config.output)}: index.html, report.txt, report.csv, runs.csv{studied}")


def _course(folder: Path) -> None:
    claim(folder)
    write(folder / "README.md", course())
    print(f"written: {folder / 'README.md'}")


if __name__ == "__main__":
    main()
