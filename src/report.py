"""Runs -> one line per configuration, with mean, spread and n over seeds: as text, CSV and one HTML page.

python -m src.report runs=FOLDER output=FOLDER
"""

import sys
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from src.leaderboard import text
from src.leaderboard.board import Board, board
from src.leaderboard.page import page
from src.run import cli
from src.run.folder import claim, write

WIDE = 1000  # columns of a table that goes into a file or a pipe, where nothing has to be folded


def report(runs: Path, output: Path, metric: str = "score", ascending: bool = False) -> Board:
    """Write report.txt, report.csv, runs.csv and index.html.

    Args:
        runs: the folder below which every run counts.
        output: where the files go; made if need be.
        metric: what ranks, `score`, `seconds`, `val/...` or `test/...`.
        ascending: whether the smallest comes first.

    Raises:
        ValueError: there is no run, no such metric, or the output cannot be written.
    """
    ranked = board(runs, metric, ascending)
    claim(output)
    text.write_text(ranked, output / "report.txt")
    text.write_configurations(ranked, output / "report.csv")
    text.write_runs(ranked, output / "runs.csv")
    write(output / "index.html", page(ranked, output))
    return ranked


def job(config: DictConfig) -> None:
    """The command's work."""
    output = cli.path(config.output)
    ranked = report(cli.path(config.runs), output, config.metric, config.ascending)
    Console(width=None if sys.stdout.isatty() else WIDE).print(text.table(ranked))
    print(f"\nwritten to {output}: index.html, report.txt, report.csv, runs.csv")


def main() -> None:
    """The command."""
    cli.main("report", job)


if __name__ == "__main__":
    main()
