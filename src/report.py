"""Runs -> one line per configuration, with mean, spread and n over seeds: as text, CSV and one HTML page.

python -m src.report runs=FOLDER output=FOLDER
python -m src.report runs=FOLDER output=FOLDER axes=[model/upsample] columns=[miou,seconds,params]
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from src.leaderboard import study, text
from src.leaderboard.bars import bars
from src.leaderboard.board import Board, board
from src.leaderboard.page import page
from src.leaderboard.sides import sides
from src.run import cli
from src.run.folder import claim, write

WIDE = 1000  # columns of a table that goes into a file or a pipe, where nothing has to be folded


def report(
    runs: Path,
    output: Path,
    metric: str = "score",
    ascending: bool = False,
    axes: Sequence[str] = (),
    columns: Sequence[str] = (),
    images: int = 4,
) -> Board:
    """Write report.txt, report.csv, runs.csv and index.html; with axes the study's files as well.

    These are study.md and study.csv, the table, study.png, its bars, and predictions.png, the arms side by side.

    Args:
        runs: the folder below which every run counts.
        output: where the files go; made if need be.
        metric: what ranks, `score`, `seconds`, `val/...` or `test/...`.
        ascending: whether the smallest comes first.
        axes: that tell the arms of a study apart, see `src.leaderboard.study`.
        columns: the figures of its table; none takes the leaderboard's.
        images: how many are shown side by side.

    Raises:
        ValueError: there is no run, no such metric, axis or column, or the output cannot be written.
    """
    ranked = board(runs, metric, ascending)
    found = study.study(ranked, axes, columns) if axes else None
    claim(output)
    if found:
        study.write_markdown(found, output / "study.md")
        study.write_csv(found, output / "study.csv")
        bars(found, output / "study.png")
        for problem in sides(found, images, output / "predictions.png"):
            print(f"predictions.png: {problem}")
    text.write_text(ranked, output / "report.txt")
    text.write_configurations(ranked, output / "report.csv")
    text.write_runs(ranked, output / "runs.csv")
    write(output / "index.html", page(ranked, output))
    return ranked


def job(config: DictConfig) -> None:
    """The command's work."""
    output, axes = cli.path(config.output), list(config.axes)
    arms = (axes, list(config.columns), config.images)
    ranked = report(cli.path(config.runs), output, config.metric, config.ascending, *arms)
    Console(width=None if sys.stdout.isatty() else WIDE).print(text.table(ranked))
    studied = ", study.md, study.csv, study.png, predictions.png" if axes else ""
    print(f"\nwritten to {output}: index.html, report.txt, report.csv, runs.csv{studied}")


def main() -> None:
    """The command."""
    cli.main("report", job)


if __name__ == "__main__":
    main()
