"""All files of a report, written into one folder."""

from collections.abc import Sequence
from pathlib import Path

from src.leaderboard import study, text
from src.leaderboard.bars import bars
from src.leaderboard.board import Board, board
from src.leaderboard.page.page import page
from src.leaderboard.sides import sides
from src.run.folder import claim, write


def report(
    runs: Path,
    output: Path,
    metric: str = "score",
    ascending: bool = False,
    axes: Sequence[str] = (),
    columns: Sequence[str] = (),
    images: int = 4,
    refresh: int | None = None,
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
        refresh: seconds after which a browser loads the page again; None for never.

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
    write(output / "index.html", page(ranked, output, images, refresh))
    return ranked
